//! One more machine in a sandbox image: its tree is a layer of its own, so that labs with as many machines share it and
//! others pay nothing.

use std::io;

use bollard::Docker;
use futures::TryStreamExt;

use super::{
    bake,
    build::Reporter,
    engine::{Still, commit},
    error::{ImagesError, blame},
    stream::{counted, through},
};

/// Lays the tree of `machine`, with ids from `id_base`, on the sandbox image `below`.
pub(super) async fn build(
    docker: &Docker,
    report: &Reporter<'_>,
    image: &str,
    below: &str,
    machine: &str,
    id_base: u32,
) -> Result<(), ImagesError> {
    let step = report.step();
    let from = Still::create(docker, step, machine).await?;
    let export = docker.export_container(&from.id).map_err(io::Error::other);
    let (layer, outcome) = through(export, move |read, write| bake::add(read, write, id_base));
    let added = async {
        let to = Still::create(docker, step, below).await?;
        let laid = async {
            let uploaded = to.lay(counted(layer, report.bytes())).await;
            blame(step, outcome.await, uploaded)?;
            commit(docker, step, &to.id, image, "machines").await
        };
        let laid = laid.await;
        to.remove(laid).await
    };
    let added = added.await;
    from.remove(added).await
}
