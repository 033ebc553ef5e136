//! Images that were never loaded are as good as loaded ones.

use crate::ground::{until, with_sandbox};

/// The entries of the topmost layer of an image, as `docker save` writes it; without the directories that BuildKit
/// mounts upon, which it writes into every layer.
const TOP: &str = r#"top() {
        docker save "$1" > /root/top.tar
        tar -xOf /root/top.tar "$(tar -xOf /root/top.tar manifest.json | jq -r '.[0].Layers[-1]')" | tar -t | grep -v -x -e dev/ -e proc/ -e sys/
    }"#;

/// `tiny:1` is one layer, `cms:1` several; nobody has built upon the topmost of either.
#[tokio::test]
async fn they_can_be_saved_and_what_is_built_on_them_is_a_layer_of_its_own() {
    with_sandbox("", async |sandbox| {
        for image in ["tiny:1", "cms:1"] {
            let saved = format!(
                "set -e; id=$(docker image inspect -f '{{{{.Id}}}}' {image}); docker save {image} > /root/saved.tar
                 docker load -q < /root/saved.tar; [ \"$id\" = \"$(docker image inspect -f '{{{{.Id}}}}' {image})\" ]"
            );
            assert_eq!(sandbox.says(&saved).await, format!("Loaded image: {image}"));
            for builder in ["DOCKER_BUILDKIT=0", "DOCKER_BUILDKIT=1"] {
                let built = format!(
                    "set -e; mkdir -p /root/b; printf 'FROM {image}\\nRUN rm /etc/passwd\\n' > /root/b/Dockerfile
                     {builder} docker build -q -t built:1 /root/b > /dev/null 2>&1
                     docker history --format '{{{{.Size}}}}' built:1 | head -n 1; {TOP}; top built:1"
                );
                assert_eq!(sandbox.says(&built).await, "0B\netc/\netc/.wh.passwd", "{image}, {builder}");
            }
            let changed = "docker run --name changed --network none built:1 touch /tmp/new && docker diff changed && docker rm changed";
            assert_eq!(sandbox.says(changed).await, "C /tmp\nA /tmp/new\nchanged");
        }
    })
    .await;
}

#[tokio::test]
async fn they_outlive_the_engine_and_the_machine_and_can_be_thrown_away() {
    with_sandbox("", async |sandbox| {
        let runs = "docker run --rm tiny:1 sh -c 'echo in $((40 + 2))'";
        assert_eq!(sandbox.says(&format!("systemctl restart docker; {runs}")).await, "in 42");
        sandbox.run("kill -TERM 1").await;
        until("the machine was started anew and its engine answers", async || {
            let host = sandbox.host().await;
            (host.restarts == 1 && host.engine).then_some(())
        })
        .await;
        assert_eq!(sandbox.says(runs).await, "in 42");
        let layers = "ls -d /var/lib/docker/overlay2/*/diff | wc -l";
        let before: u32 = sandbox.says(layers).await.parse().expect("a number");
        let gone = sandbox.says("docker rmi -f cms:1 tiny:1 > /dev/null; docker images -q").await;
        assert_eq!(gone, "");
        assert!(before > 0 && sandbox.says(layers).await == "0", "of {before} layers some are left");
        let written = sandbox.says("docker run --rm tiny:1 true 2>&1 | head -n 1").await;
        assert!(written.contains("Unable to find image"), "{written}");
    })
    .await;
}

#[tokio::test]
async fn nobody_writes_to_what_is_shared() {
    with_sandbox("", async |sandbox| {
        let tries = sandbox
            .run(
                "cd /var/lib/docker/overlay2; for layer in */diff; do [ -d $layer/etc ] || continue
                 touch $layer/etc/mine; rm $layer/etc/passwd; mount -o remount,bind,rw $(realpath $layer); touch $layer/etc/mine; done",
            )
            .await;
        // Several layers have such a directory, and none can be written to.
        assert!(tries.stderr.contains("Read-only file system"), "{tries:?}");
        assert_eq!(sandbox.says("ls /var/lib/docker/overlay2/*/diff/etc | grep -c -x mine || true").await, "0");
    })
    .await;
}
