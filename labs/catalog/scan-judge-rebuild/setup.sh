#!/bin/sh
# The shop as it was built in summer, and the advisories that have come in since.
set -eu

cat > /root/advisories.json <<JSON
{
  "snapshot": "2026-11-24",
  "note": "Invented flaws, in the form of OSV, for the parts of the line's own archive.",
  "advisories": [
    { "id": "LAB-1$BULKHEAD_FARE", "ecosystem": "Debian:13", "package": "fare", "severity": "critical", "fixed": "2.3-1+deb13u1",
      "details": "The program fare runs its argument as a command (upstream issue 77)." },
    { "id": "LAB-2$BULKHEAD_TIDE", "ecosystem": "Debian:13", "package": "tide", "severity": "high", "fixed": "1.10.0-1",
      "details": "The library runs what the variable TIDE_HOOK of the environment says (upstream issue 31)." },
    { "id": "LAB-3$BULKHEAD_SIGNAL", "ecosystem": "Debian:13", "package": "signalbook", "severity": "high", "fixed": null,
      "details": "The program signalbook-serve runs commands that clients send it. The tables are not concerned." },
    { "id": "LAB-4$BULKHEAD_MAP", "ecosystem": "Debian:13", "package": "quaymap", "severity": "critical", "fixed": "3.2-1",
      "details": "The program quaymap takes names with any character (upstream issue 118). Fixed upstream in 3.2." },
    { "id": "LAB-5$BULKHEAD_BELL", "ecosystem": "Debian:13", "package": "bell", "severity": "medium", "fixed": "1:0.5-1",
      "details": "The program bell rings more often than it should." },
    { "id": "LAB-6$BULKHEAD_POOL", "ecosystem": "PyPI", "package": "tidepool", "severity": "high", "fixed": null,
      "details": "Whoever can name a rock pool may read any file. Nobody looks after tidepool any more." },
    { "id": "LAB-7$BULKHEAD_CRATE", "ecosystem": "crates.io", "package": "signal-hook-registry", "severity": "high", "fixed": "1.99.0",
      "details": "A signal that arrives while a handler is being taken out may end the process. Versions from 1.99.0 on are not yet published." },
    { "id": "LAB-8$BULKHEAD_BELL", "ecosystem": "Debian:12", "package": "quaymap", "severity": "high", "fixed": "3.0-9",
      "details": "Another flaw, in another release." },
    { "id": "LAB-9$BULKHEAD_POOL", "ecosystem": "crates.io", "package": "errno", "severity": "low", "fixed": "0.3.9",
      "details": "Fixed long ago." }
  ]
}
JSON
docker tag shop:1 registry:5000/shop:1
docker push -q registry:5000/shop:1 >/dev/null
docker run -d --name shop --hostname shop --label bulkhead.role=shop --restart unless-stopped -p 8080:8080 shop:1 >/dev/null

for _ in $(seq 50); do
  curl -fsS -o /dev/null 'http://127.0.0.1:8080/plugins/fare?to=Holm' 2>/dev/null && exit 0
  sleep 0.1
done
echo "shop does not answer: $(docker logs shop 2>&1 | tail -n 3)" >&2
exit 1
