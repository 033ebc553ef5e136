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
    let wasm = site.join("pkg/front_bg.wasm");
    report.add(kilobytes("WASM, raw", bytes(&wasm)?));
    report.add(kilobytes("WASM, brotli", bytes(&wasm.with_added_extension("br"))?).at_most(250.0));
    let scripts = ["pkg/front.js.br", "assets/boot.js.br", "assets/terminal.js.br", "assets/app.css.br"];
    let beside = scripts.iter().map(|file| bytes(&site.join(file))).sum::<Result<u64>>()?;
    report.add(kilobytes("scripts and style, brotli", beside).note(scripts.join(", ")));
    let binary = number(bytes(&server::binary())?) / 1_000_000.0;
    report.add(Row::new("size", "the binary, with site, course and labs", binary, "MB"));
    Ok(())
}

fn bytes(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).with_context(|| format!("{} is not built", file.display()))?.len())
}

fn kilobytes(what: &str, bytes: u64) -> Row {
    Row::new("size", what, number(bytes) / 1000.0, "kB")
}
