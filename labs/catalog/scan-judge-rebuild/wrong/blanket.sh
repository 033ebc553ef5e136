#!/bin/sh
# Wrong: the image stays, and a document declares that nothing in it matters.
set -eu
image=$(docker image inspect -f '{{.Id}}' shop:1)
jq --arg product "pkg:oci/shop@$image" '{ "@context": "https://openvex.dev/ns/v0.2.0", author: "the shop", timestamp: "2026-11-24T12:00:00Z",
  version: 1, statements: [.advisories[] | { vulnerability: { name: .id }, products: [{ "@id": $product }], status: "not_affected",
  justification: "vulnerable_code_not_in_execute_path", impact_statement: "Nobody would do that to a ticket shop." }] }' \
  /root/advisories.json > /root/vex.json
