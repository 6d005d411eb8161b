//! The files that pages need, embedded. Libraries and their licences are in `assets/`.
//!
//! - htmx 4.0.1 with its extension for server-sent events, from npm (`htmx.org`), 0BSD;
//! - `console.css` and `console.js`, our own.

use std::sync::LazyLock;

/// A file.
pub struct Asset {
    /// Its name, the last part of its address.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// The address under which assets are served.
pub const FOLDER: &str = "/assets/";

const JS: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// All files.
pub const ALL: [Asset; 6] = [
    Asset {
        name: "console.css",
        media_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../assets/console.css"),
    },
    Asset {
        name: "console.js",
        media_type: JS,
        bytes: include_bytes!("../assets/console.js"),
    },
    Asset {
        name: "htmx.min.js",
        media_type: JS,
        bytes: include_bytes!("../assets/htmx.min.js"),
    },
    Asset {
        name: "hx-sse.min.js",
        media_type: JS,
        bytes: include_bytes!("../assets/hx-sse.min.js"),
    },
    Asset {
        name: "htmx.LICENSE",
        media_type: TEXT,
        bytes: include_bytes!("../assets/htmx.LICENSE"),
    },
    Asset {
        name: "icon.svg",
        media_type: "image/svg+xml",
        bytes: include_bytes!("../assets/icon.svg"),
    },
];

/// The file of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.name == name)
}

/// Distinguishes the files of one build from another's: browsers keep a file until this changes.
/// (FNV-1a, 64 bits.)
#[must_use]
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let bytes = ALL.iter().flat_map(|asset| asset.bytes);
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    });
    &VERSION
}

/// The address of a file.
#[must_use]
pub fn url(name: &str) -> String {
    format!("{FOLDER}{name}?v={}", version())
}
