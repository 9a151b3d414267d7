//! Small drawings, own work on a grid of 24, drawn by strokes in the colour of the text.
//! Always beside a word, so they are hidden from screen readers.

use std::fmt;

macro_rules! icons {
    ($( $(#[$meta:meta])* $name:ident = $path:literal, )+) => {
        /// A drawing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Icon { $( $(#[$meta])* $name, )+ }

        impl Icon {
            const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)+ }
            }
        }
    };
}

icons! {
    /// A dial.
    Gauge = "M4 18a9 9 0 1 1 16 0M12 14l4-5M12 14h.01",
    /// Houses.
    Tenants = "M3 21V8l6-4v17M9 21h12V10H9M13 14h1M17 14h1M13 17.5h1M17 17.5h1M6 11v.01M6 15v.01",
    /// A cube.
    Models = "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
    /// A plug.
    Providers = "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
    /// Two ends and a line.
    Gateways = "M6 16a4 4 0 1 1 0-8 4 4 0 0 1 0 8zM18 16a4 4 0 1 1 0-8 4 4 0 0 1 0 8zM10 12h4",
    /// Lines of a log.
    Usage = "M4 6h10M4 12h16M4 18h7M18 6h2M15 18h5",
    /// An open book.
    Audit = "M6 3h9l4 4v14H6zM14 3v5h5M9 12h7M9 16h5",
    /// Sliders.
    Settings = "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
    /// A pulse.
    Pulse = "M3 12h4l3-7 4 14 3-7h4",
    /// A padlock.
    Lock = "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    /// People.
    People = "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.5 2.5-6 6-6s6 2.5 6 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2 .8 3 2.8 3 5.5",
    /// A key.
    Key = "M8 15.5a4.5 4.5 0 1 1 4.3-5.8L21 10v4h-3v-2h-2v2h-3.700A4.5 4.5 0 0 1 8 15.5zM8 11h.01",
    /// Pages of a ledger.
    Ledger = "M5 4h14v16H5zM9 4v16M12 9h4M12 13h4",
    /// A speech bubble.
    Chat = "M4 5h16v11H10l-4 4v-4H4z",
    /// A framed picture.
    Picture = "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
    /// A clock.
    History = "M12 21a9 9 0 1 1 9-9M12 7v5l3.5 2M21 16v5h-5",
    /// A house.
    Home = "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
    /// A plus.
    Plus = "M12 5v14M5 12h14",
    /// A sun.
    Sun = "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
    /// A moon.
    Moon = "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
    /// Half light, half dark.
    Half = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 8h5M12 12h6M12 16h5",
    /// A door with an arrow.
    Leave = "M14 4H5v16h9M10 12h11M17.5 8.5L21 12l-3.5 3.5",
    /// Three lines.
    Menu = "M4 7h16M4 12h16M4 17h16",
    /// A tick.
    Check = "M5 12.5l4.5 4.5L19 7.5",
    /// A cross.
    Close = "M6 6l12 12M18 6L6 18",
    /// Two sheets.
    Copy = "M9 9h11v11H9zM15 9V4H4v11h5",
    /// An arrow into a tray.
    Download = "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4 20h16",
    /// A triangle with a mark.
    Alert = "M12 4l9 16H3zM12 10v4M12 17h.01",
    /// An empty tray.
    Tray = "M4 14l3-9h10l3 9v5H4zM4 14h5l1.5 2.5h3L15 14h5",
    /// A lens.
    Search = "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
    /// Brackets.
    Code = "M8 6l-6 6 6 6M16 6l6 6-6 6",
    /// A paper plane.
    Send = "M4 12l16-8-5 16-3.5-6.5z",
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>"#,
            self.path()
        )
    }
}

impl askama::filters::HtmlSafe for Icon {}
