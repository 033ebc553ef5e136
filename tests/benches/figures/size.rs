//! The WASM that a browser loads.

use anyhow::{Context as _, Result};
use bulkhead_tests::artefacts::target;

use crate::report::Report;

pub(crate) fn take(report: &mut Report) -> Result<()> {
    let file = target().join("site/pkg/front_bg.wasm");
    let packed = target().join("site/pkg/front_bg.wasm.br");
    #[expect(clippy::cast_precision_loss, reason = "kilobytes of a file")]
    let kilobytes = |file: &std::path::Path| {
        std::fs::metadata(file)
            .map(|m| m.len() as f64 / 1000.0)
            .with_context(|| format!("{} is missing", file.display()))
    };
    report.add("WASM, raw", kilobytes(&file)?, "kB");
    report.add("WASM, brotli", kilobytes(&packed)?, "kB").aim("250 kB");
    Ok(())
}
