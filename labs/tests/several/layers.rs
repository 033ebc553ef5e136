use crate::ground::with_sandbox;

/// What an engine that loaded the image itself would have, the student's has without loading it.
#[tokio::test]
async fn what_a_later_layer_deleted_is_gone_in_the_container_and_there_in_its_layer() {
    with_sandbox("layers", async |sandbox| {
        let run = |script: &str| format!("docker run --rm layers:1 sh -c '{script}'");
        let seen = sandbox.says("host", &run("ls /token /srv /srv/old 2>&1; cat /srv/kept")).await;
        assert_eq!(
            seen,
            "ls: /token: No such file or directory\n/srv:\nkept\nnew\nold\n\n/srv/old:\nagain\nkept"
        );
        // The mark is the kernel's own, and the layer below still tells the secret.
        let marks = "find /var/lib/docker/overlay2/*/diff/ -type c -printf '%P %u\\n' | sort";
        assert_eq!(sandbox.says("host", marks).await, "srv/old/file root\ntoken root");
        assert_eq!(sandbox.says("host", "cat $(find -L /var/lib/docker/overlay2 -path '*/diff/token' -type f)").await, "secret");
        // Saved and loaded again it is the same image: no layer lost anything on the way.
        let again = "set -e; docker save layers:1 > /root/l.tar; id=$(docker image inspect -f '{{.Id}}' layers:1); \
            tar -xOf /root/l.tar manifest.json > /dev/null; mkdir /root/l; tar -xf /root/l.tar -C /root/l; \
            for layer in $(find /root/l -type f -size +1k); do tar -tf $layer 2>/dev/null || true; done | grep -c '^\\.wh\\.token$'; \
            docker rm -f web > /dev/null; docker rmi -f layers:1 > /dev/null; docker load -q < /root/l.tar > /dev/null; \
            [ \"$id\" = \"$(docker image inspect -f '{{.Id}}' layers:1)\" ] && echo same";
        assert_eq!(sandbox.says("host", again).await, "1\nsame");
        // What the student builds on it may hide more.
        let build = "printf 'FROM layers:1\\nRUN rm /srv/kept\\n' | DOCKER_BUILDKIT=0 docker build -q -t mine - > /dev/null && docker run --rm mine ls /srv";
        assert_eq!(sandbox.says("host", build).await, "new\nold");
    })
    .await;
}
