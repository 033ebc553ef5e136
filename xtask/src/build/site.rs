//! The site folder, `target/site`: the npm bundle (styles, fonts, terminal) and the WASM with its glue, each file with
//! a brotli twin where that saves a tenth.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};

use super::{Profile, parts, stamp};
use crate::{
    need::{
        packages,
        wasm::{self, Toolchain},
    },
    shell::{cargo, command, root, run, say, target},
};

/// What the compiler uses. `--all-features` would have binaryen write types of proposals that no browser has. Binaryen
/// itself comes by `package-lock.json`: Debian 12's version 108 mixes up the tables of this module.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What pages load, and the features of `bulkhead-front` that make it. A lesson has no use for a workspace's islands.
const MODULES: [(&str, &[&str]); 2] = [("read", &[]), ("front", &["--features", "work"])];

/// Loads the module with its glue, as far as that goes without a document: an optimiser's mistake ends the build here and
/// not in a browser.
const START: &str = "
const { readFileSync } = require('node:fs');
const module = process.argv[1];
const glue = readFileSync(module + '.js', 'utf8');
import('data:text/javascript,' + encodeURIComponent(glue))
  .then((front) => front.initSync({ module: readFileSync(module + '_bg.wasm') }))
  .catch((error) => { console.error(error.message); process.exit(1); });
";

pub(crate) fn build(profile: Profile) -> Result<()> {
    packages::ensure(&[packages::Group::Build], false)?;
    let site = target().join("site");
    let stamp = stamp::of(profile)?;
    // The browser's tests use what npm installs.
    if stamp::holds(&stamp) && site.is_dir() && root().join("app/web/node_modules").is_dir() {
        say("\nThe site is up to date.");
        return Ok(());
    }
    stamp::clear();
    fs::create_dir_all(site.join("pkg"))?;
    bundle(&site)?;
    parts::list(&site)?;
    let toolchain = wasm::ensure(false)?;
    for (name, features) in MODULES {
        wasm(&site, profile, &toolchain, name, features)?;
    }
    compress(&site, if profile == Profile::Release { 11 } else { 5 })?;
    stamp::write(&stamp)
}

fn bundle(site: &Path) -> Result<()> {
    let web = root().join("app/web");
    let lock = fs::read(web.join("package-lock.json")).context("app/web/package-lock.json is missing")?;
    let stamp = web.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).ok().as_deref() != Some(&lock[..]) {
        run("npm ci", command("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&web))?;
        fs::write(&stamp, &lock)?;
    }
    run(
        "Bundle styles, fonts and the terminal",
        command("npm").args(["run", "--silent", "build"]).current_dir(&web).env("BULKHEAD_SITE", site),
    )
}

fn wasm(site: &Path, profile: Profile, toolchain: &Toolchain, name: &str, features: &[&str]) -> Result<()> {
    let mut cargo = cargo(&["build", "--locked", "-p", "bulkhead-front", "--target", wasm::TARGET]);
    cargo.args(features);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            cargo.args(["--profile", "wasm"]);
            "wasm"
        }
    };
    toolchain.apply(&mut cargo);
    run(&format!("Build the islands of `{name}` for the browser"), &mut cargo)?;

    let module = toolchain.target_folder.join(wasm::TARGET).join(folder).join("bulkhead_front.wasm");
    let package = site.join("pkg");
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(&module).out_name(name).typescript(false);
    bindgen
        .web(true)
        .and_then(|bindgen| bindgen.generate(&package))
        .map_err(|error| anyhow!("wasm-bindgen: {error:#}"))?;
    if profile == Profile::Release {
        let file = package.join(format!("{name}_bg.wasm"));
        run(
            "Optimise the WASM for size",
            command(root().join("app/web/node_modules/.bin/wasm-opt"))
                .arg("-Oz")
                .args(FEATURES)
                .args(["--strip-debug", "--strip-producers", "-o"])
                .arg(&file)
                .arg(&file),
        )?;
        run("Start the WASM once", command("node").args(["-e", START]).arg(package.join(name)))?;
    }
    Ok(())
}

fn compress(site: &Path, quality: i32) -> Result<()> {
    let mut files = Vec::new();
    collect(site, &mut files)?;
    for file in files {
        let compressible =
            matches!(file.extension().and_then(|e| e.to_str()), Some("js" | "css" | "wasm" | "svg" | "json" | "txt"));
        let twin = PathBuf::from(format!("{}.br", file.display()));
        if !compressible {
            continue;
        }
        let plain = fs::read(&file)?;
        let mut packed = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality, ..Default::default() };
        brotli::BrotliCompress(&mut &plain[..], &mut packed, &parameters)?;
        if packed.len() * 10 < plain.len() * 9 {
            fs::write(&twin, &packed)?;
        } else {
            let _ = fs::remove_file(&twin);
        }
        if file.extension().is_some_and(|e| e == "wasm") {
            say(&format!(
                "  {}: {} bytes, {} as brotli",
                file.file_name().unwrap_or_default().to_string_lossy(),
                plain.len(),
                packed.len()
            ));
        }
    }
    Ok(())
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.extension().is_none_or(|e| e != "br") {
            into.push(path);
        }
    }
    Ok(())
}
