#!/bin/sh
# Wrong: all is mended, and pushed under the old name, so that nobody has to change his notes. Now two images are called shop:1.
set -eu
id() { jq -r --arg package "$1" '.advisories[] | select(.package == $package and .ecosystem != "Debian:12").id' /root/advisories.json; }
echo "answer usable $(id fare)"
echo "answer unseen $(id signal-hook-registry)"
cd /root/shop
sed -i -e 's/fare-tools=2.3-1 libtide1=1.9.0-2 bell=1:0.4-1/fare-tools=2.3-1+deb13u1 libtide1=1.10.0-1/' -e '/^COPY old/d' Dockerfile
rm -r old
docker build -q -t registry:5000/shop:1 . >/dev/null
docker push -q registry:5000/shop:1 >/dev/null
docker rm -f shop >/dev/null
docker run -d --name shop --hostname shop --label bulkhead.role=shop --restart unless-stopped -p 8080:8080 registry:5000/shop:1 >/dev/null
digest=$(docker image inspect -f '{{index .RepoDigests 0}}' registry:5000/shop:1 | cut -d@ -f2)
syft -q docker:registry:5000/shop:1 --source-version "$digest" -o cyclonedx-json > image.json
syft -q file:Cargo.lock -o cyclonedx-json > crates.json
jq -s '.[0].components += .[1].components | .[0]' image.json crates.json > /root/sbom.json
jq -n --arg product "pkg:oci/shop@$digest" --arg map "$(id quaymap)" --arg signal "$(id signalbook)" --arg crate "$(id signal-hook-registry)" '
  def about(name): { vulnerability: { name: name }, products: [{ "@id": $product }] };
  { statements: [about($map) + { status: "fixed" }, about($crate) + { status: "under_investigation" },
    about($signal) + { status: "not_affected", justification: "vulnerable_code_not_in_execute_path",
      impact_statement: "Nothing in the image starts signalbook-serve." }] }' > /root/vex.json
