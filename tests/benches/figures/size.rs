//! What a browser downloads before islands live, and what an administrator installs.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use bulkhead_tests::{artefacts, server};

use crate::{
    report::{Report, Row},
    sample::number,
};

pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let site = artefacts::target().join("site");
    let sum = |files: &[&str]| files.iter().map(|file| bytes(&site.join(file))).sum::<Result<u64>>();
    for (name, most, scripts) in [
        (
            "a workspace",
            250.0,
            &["pkg/front.js.br", "assets/boot.js.br", "assets/terminal.js.br", "assets/app.css.br"][..],
        ),
        ("reading", 100.0, &["pkg/read.js.br", "assets/boot.js.br", "assets/app.css.br"][..]),
    ] {
        let wasm = site.join(if name == "reading" { "pkg/read_bg.wasm" } else { "pkg/front_bg.wasm" });
        report.add(kilobytes(format!("WASM for {name}, raw"), bytes(&wasm)?));
        report
            .add(kilobytes(format!("WASM for {name}, brotli"), bytes(&wasm.with_added_extension("br"))?).at_most(most));
        report.add(kilobytes(format!("scripts and style for {name}, brotli"), sum(scripts)?).note(scripts.join(", ")));
    }
    let binary = number(bytes(&server::binary())?) / 1_000_000.0;
    report.add(Row::new("size", "the binary, with site, course and labs", binary, "MB"));
    Ok(())
}

fn bytes(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).with_context(|| format!("{} is not built", file.display()))?.len())
}

fn kilobytes(what: impl Into<String>, bytes: u64) -> Row {
    Row::new("size", what, number(bytes) / 1000.0, "kB")
}
