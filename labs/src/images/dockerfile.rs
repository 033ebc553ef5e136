//! A Dockerfile build by the engine itself, with a context that is made in memory.

use std::collections::HashMap;

use bollard::{Docker, body_full, errors::Error, models::BuildInfo, query_parameters::BuildImageOptionsBuilder};
use bytes::Bytes;
use futures::StreamExt;

use super::{
    build::Reporter,
    engine::LABEL,
    error::{ImagesError, Tail},
    source::{Files, mode},
};

/// Handed on to a build, as the builder expects them, so that it reaches the archive as this process does.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

pub(super) async fn build(
    docker: &Docker,
    report: &Reporter<'_>,
    image: &str,
    context: &Files,
    arguments: &[(String, String)],
    kind: &str,
) -> Result<(), ImagesError> {
    let step = report.step();
    let tar = context_tar(context).map_err(|error| ImagesError::failed(step, error))?;
    let mut buildargs: HashMap<&str, &str> =
        arguments.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let proxies: Vec<(&str, String)> =
        PROXIES.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect();
    buildargs.extend(proxies.iter().map(|(name, value)| (*name, value.as_str())));
    let options = BuildImageOptionsBuilder::new()
        .dockerfile("Dockerfile")
        .t(image)
        .rm(true)
        .forcerm(true)
        // The archive must be reachable; a bridge of the engine's may have another MTU or no way out.
        .networkmode("host")
        .buildargs(&buildargs)
        .labels(&HashMap::from([(LABEL, kind)]))
        .build();

    let mut log = Tail::default();
    let mut said = Box::pin(docker.build_image(options, None, Some(body_full(Bytes::from(tar)))));
    while let Some(info) = said.next().await {
        match info {
            Ok(BuildInfo { stream: Some(text), .. }) => {
                for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
                    report.line(line);
                    log.push(line);
                }
            }
            Ok(_) => {}
            Err(Error::DockerStreamError { error }) => {
                return Err(ImagesError::Failed { step: step.to_owned(), why: error, log });
            }
            Err(cause) => {
                return Err(ImagesError::Engine {
                    step: step.to_owned(),
                    what: "build it",
                    cause: Box::new(cause),
                    log,
                });
            }
        }
    }
    Ok(())
}

/// Times are zero, so that equal contexts are equal for the builder's cache as well.
fn context_tar(files: &Files) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode(bytes));
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, &bytes[..])?;
    }
    tar.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_programs_may_be_executed_in_the_context() {
        let files = Files::from([
            ("a.sh".into(), b"#!/bin/sh".to_vec().into()),
            ("b".into(), b"\x7fELF".to_vec().into()),
            ("c/d".into(), b"text".to_vec().into()),
        ]);
        let tar = context_tar(&files).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let modes: Vec<u32> = archive.entries().unwrap().map(|entry| entry.unwrap().header().mode().unwrap()).collect();
        assert_eq!(modes, [0o755, 0o755, 0o644]);
    }
}
