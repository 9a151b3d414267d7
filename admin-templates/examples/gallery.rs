//! Writes every sample of every view as a file, to be looked at in a browser:
//! `cargo run -p admin-templates --example gallery DIR`. Shows nothing itself.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use admin_templates::assets::assets;
use admin_templates::page::{Lang, Page, Theme};
use admin_templates::views::VIEWS;

/// Samples that are pages people would see; the others are for tests.
fn is_shown(sample: &str) -> bool {
    sample.starts_with("typical") || sample == "empty" || sample == "long"
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        return Err("name a folder to write into".into());
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets"))?;
    for asset in assets().all() {
        fs::write(folder.join(asset.path.trim_start_matches('/')), asset.bytes)?;
    }
    let mut index =
        String::from("<!doctype html><meta charset=\"utf-8\"><title>Gallery</title><ul>");
    for entry in VIEWS {
        for area in entry.areas {
            for lang in Lang::ALL {
                for theme in [Theme::Light, Theme::Dark] {
                    let page = Page::sample(entry, *area, lang, theme);
                    for made in (entry.pages)(&page) {
                        if !is_shown(&made.sample) {
                            continue;
                        }
                        let name = format!(
                            "{}-{}-{}-{}-{}.html",
                            area.root().trim_start_matches('/'),
                            entry.name,
                            made.sample,
                            lang.code(),
                            theme.code()
                        );
                        // Files have no root; the assets lie beside them.
                        let html = made.html?.replace("\"/assets/", "\"assets/");
                        fs::write(folder.join(&name), html)?;
                        writeln!(index, "<li><a href=\"{name}\">{name}</a>")?;
                    }
                }
            }
        }
    }
    fs::write(folder.join("index.html"), index)?;
    Ok(())
}
