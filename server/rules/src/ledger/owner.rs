//! Who looks after a hold. Recovery takes over what a process that died left, and nothing else.

use shared::id::{BootId, JobId, RealtimeSessionId};

/// Who settles or releases a hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A life of a process, for as long as a call lasts.
    Process(BootId),
    /// A job, which outlives processes and ends its own.
    Job(JobId),
    /// A session in real time, which does so too.
    Session(RealtimeSessionId),
}

impl Owner {
    /// As the database holds it: the id, which says by its prefix whose it is.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Process(id) => id.as_str(),
            Self::Job(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
        }
    }

    /// From what the database holds. Versions before jobs wrote ids of processes alone.
    pub fn from_stored(text: String) -> Self {
        if text.starts_with(JobId::PREFIX) {
            Self::Job(JobId::from_stored(text))
        } else if text.starts_with(RealtimeSessionId::PREFIX) {
            Self::Session(RealtimeSessionId::from_stored(text))
        } else {
            Self::Process(BootId::from_stored(text))
        }
    }

    /// The process, where it is one.
    pub fn process(self) -> Option<BootId> {
        match self {
            Self::Process(boot) => Some(boot),
            Self::Job(_) | Self::Session(_) => None,
        }
    }
}

impl From<BootId> for Owner {
    fn from(boot: BootId) -> Self {
        Self::Process(boot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        for owner in [
            Owner::Process(BootId::random()),
            Owner::Job(JobId::random()),
            Owner::Session(RealtimeSessionId::random()),
        ] {
            assert_eq!(Owner::from_stored(owner.as_str().to_owned()), owner);
        }
        let old = Owner::from_stored("boot_1".to_owned());
        assert_eq!(
            old.process(),
            Some(BootId::from_stored("boot_1".to_owned()))
        );
    }
}
