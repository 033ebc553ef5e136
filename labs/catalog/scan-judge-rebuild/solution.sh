#!/bin/sh
set -eu
export SYFT_CHECK_FOR_APP_UPDATE=false
id() { jq -r --arg package "$1" --arg in "$2" '.advisories[] | select(.package == $package and .ecosystem == $in).id' /root/advisories.json; }
echo "answer usable $(id fare Debian:13)"
syft -q file:/root/shop/Cargo.lock -o cyclonedx-json > /root/crates.json
echo "answer unseen $(id signal-hook-registry crates.io)"

# What has a fix gets it, what nobody needs goes.
cd /root/shop
sed -i -e 's/fare-tools=2.3-1 libtide1=1.9.0-2 bell=1:0.4-1/fare-tools=2.3-1+deb13u1 libtide1=1.10.0-1/' -e '/^COPY old/d' Dockerfile
rm -r old
docker build -q -t shop:2 . >/dev/null
docker rm -f shop >/dev/null
docker run -d --name shop --hostname shop --label bulkhead.role=shop --restart unless-stopped -p 8080:8080 shop:2 >/dev/null

# Published under a new name. From here on the registry's digest is what it is called.
docker tag shop:2 registry:5000/shop:2
docker push -q registry:5000/shop:2 >/dev/null
digest=$(docker image inspect -f '{{range .RepoDigests}}{{println .}}{{end}}' shop:2 | sed -n 's/^registry:5000.shop@//p')

# What it is made of: the list of what the registry holds, and the program's.
SYFT_REGISTRY_INSECURE_USE_HTTP=true syft -q registry:registry:5000/shop:2 --source-version "$digest" -o cyclonedx-json > /root/image.json
jq -s '.[0].components += .[1].components | .[0]' /root/image.json /root/crates.json > /root/sbom.json

jq -n --arg product "pkg:oci/shop@$digest" --arg map "$(id quaymap Debian:13)" --arg signal "$(id signalbook Debian:13)" \
  --arg crate "$(id signal-hook-registry crates.io)" '
  def about(name): { vulnerability: { name: name }, products: [{ "@id": $product }] };
  { "@context": "https://openvex.dev/ns/v0.2.0", author: "the shop", timestamp: "2026-11-24T12:00:00Z", version: 1, statements: [
    about($map) + { status: "not_affected", justification: "vulnerable_code_not_present",
      impact_statement: "3.1-4~deb13u2 has the fix of upstream issue 118, see its changelog of 20 October." },
    about($signal) + { status: "not_affected", justification: "vulnerable_code_not_in_execute_path",
      impact_statement: "fare reads the table only; nothing in the image starts signalbook-serve." },
    about($crate) + { status: "affected",
      action_statement: "Compile cms with signal-hook-registry 1.99.0 when it is published; asked for every Monday." } ] }' > /root/vex.json
