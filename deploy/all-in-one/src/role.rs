//! Which part of Waule a process is: one program is built, linked and installed for all of them.

use std::ffi::OsString;
use std::path::Path;

/// A part of Waule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Server and gateway in one process.
    Whole,
    /// The server; its gateways are elsewhere.
    Server,
    /// A gateway; its servers are elsewhere.
    Gateway,
}

impl Role {
    /// Reads it from the first argument (`waule server`), or from the name that the program was called
    /// by (a link `waule-server` to it). Answers the arguments without the word as well.
    pub(crate) fn of(arguments: impl IntoIterator<Item = OsString>) -> (Self, Vec<OsString>) {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let called = arguments.first().map(Path::new).and_then(Path::file_stem);
        let by_name = called
            .and_then(|name| name.to_str())
            .map(|name| match name {
                "waule-server" => Self::Server,
                "waule-gateway" => Self::Gateway,
                _ => Self::Whole,
            });
        if let Some(role @ (Self::Server | Self::Gateway)) = by_name {
            return (role, arguments);
        }
        let word = arguments.get(1).and_then(|word| word.to_str());
        let role = match word {
            Some("server") => Self::Server,
            Some("gateway") => Self::Gateway,
            _ => return (Self::Whole, arguments),
        };
        arguments.remove(1);
        (role, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(line: &str) -> (Role, String) {
        let (role, rest) = Role::of(line.split(' ').map(OsString::from));
        let rest: Vec<_> = rest.iter().map(|word| word.to_string_lossy()).collect();
        (role, rest.join(" "))
    }

    #[test]
    fn the_name_or_the_first_argument_tells() {
        let told = [
            ("waule", Role::Whole, "waule"),
            ("waule --port 1", Role::Whole, "waule --port 1"),
            ("waule ledger verify", Role::Whole, "waule ledger verify"),
            (
                "/usr/bin/waule server --port 1",
                Role::Server,
                "/usr/bin/waule --port 1",
            ),
            ("waule gateway backup to", Role::Gateway, "waule backup to"),
            (
                "/usr/bin/waule-server",
                Role::Server,
                "/usr/bin/waule-server",
            ),
            (
                "waule-gateway backup server",
                Role::Gateway,
                "waule-gateway backup server",
            ),
            // Only the first argument is the role.
            (
                "waule --data-dir server",
                Role::Whole,
                "waule --data-dir server",
            ),
        ];
        for (line, of, rest) in told {
            assert_eq!(role(line), (of, rest.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_program_without_a_name_is_the_whole() {
        assert_eq!(Role::of([]), (Role::Whole, Vec::new()));
    }
}
