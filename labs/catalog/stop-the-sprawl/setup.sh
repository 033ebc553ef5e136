#!/bin/bash
# Three years of releases, pull requests and nightly builds that nobody ever threw away. All of them are real images, on
# one layer with the board and one of their own; those that were pushed lie in the registry as well.
set -eu

build=$BULKHEAD_BUILD
newest=$((20 + build % 7)) runs=$((6 + build / 7 % 6)) audited=$((4 + build / 42 % 2)) fixed=$((12 + build / 84 % 4))
now=$(date +%s) day=86400
work=$(mktemp -d)
cd "$work"

# An image a line: name, age in days, whether it is to be kept, its tags here, in the registry: `-` no, `.` without a tag.
{
  for ((k = 1; k <= newest; k++)); do
    here=board:1.$k there=1.$k age=$((9 * (newest - k) + 2))
    case $((newest - k)) in
      # Built so that it can be built again, and so with a date that says nothing.
      0) here+=,board:latest,board:summer there+=,latest,summer age=$(((now - 1700000000) / day)) ;;
      1) here+=,board:stable there+=,stable ;;
      2) here+=,board:pr-119 there+=,pr-119 ;;
    esac
    echo "1.$k $age no $here $there"
  done
  echo "1.$fixed+fix $((9 * (newest - fixed) - 2)) no - ."
  echo "storm 700 yes board:storm-$BULKHEAD_BERTH storm-$BULKHEAD_BERTH"
  echo "sealed 400 yes - -"
  for k in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16; do
    echo "night.$k $((40 - 2 * 10#$k)) no - $( ((10#$k % 3)) && echo - || echo .)"
  done
  for k in 101 104 107 108 111 112 115 116; do
    echo "pr.$k $((300 - 2 * (k - 100))) no board:pr-$k $( ((k % 2)) && echo "pr-$k" || echo -)"
  done
} > images

# Layers: the board, and what differs from release to release.
mkdir -p base/bin base/srv base/run base/app layers
cp /opt/board/ferry base/bin/ferry
cp /opt/board/timetable base/srv/timetable
chmod 0755 base/bin/ferry
tar -C base --owner=0 --group=0 --sort=name --mtime=@1700000000 -cf layers/base .
head -c $((500000 * $(wc -l < images))) /dev/urandom | split -b 500000 -d -a 3 - app.
number=0
mkdir app
while read -r name _; do
  printf -v file 'app.%03d' $((number++))
  mv "$file" app/release
  tar --owner=0 --group=0 -cf "layers/$name" app/release
done < images
declare -A sum size tags_here tags_there
hash() { # FOLDER: digest and size of each file in it
  while read -r digest file; do sum[$file]=sha256:$digest; done < <(sha256sum "$1"/*)
  while read -r bytes file; do size[$file]=$bytes; done < <(stat -c '%s %n' "$1"/*)
}
hash layers

mkdir configs manifests
all=
while read -r name age keep here there; do
  printf -v made '%(%Y-%m-%dT%H:%M:%SZ)T' $((now - age * day))
  labels="\"release\":\"$name\"" layer=layers/$name
  [ "$keep" = no ] || labels+=',"keep":"true"'
  printf '{"architecture":"amd64","os":"linux","created":"%s","config":{"User":"10001:10001","Entrypoint":["/bin/ferry"],"Cmd":["board"],"Labels":{%s}},"rootfs":{"type":"layers","diff_ids":["%s","%s"]},"history":[{"created":"%s","created_by":"COPY board / "},{"created":"%s","created_by":"COPY release /app/ "}]}' \
    "$made" "$labels" "${sum[layers/base]}" "${sum[$layer]}" "$made" "$made" > "configs/$name"
  [ "$here" = - ] && names=null || names="[\"${here//,/\",\"}\"]"
  all+=",{\"Config\":\"configs/$name\",\"RepoTags\":$names,\"Layers\":[\"layers/base\",\"$layer\"]}"
done < images
echo "[${all#,}]" > manifest.json
hash configs
tar -cf - manifest.json configs layers | docker load -q >/dev/null
declare -A stays
for name in "1.$audited" "1.$runs" "1.$fixed+fix" "1.$((newest - 2))" "1.$((newest - 1))" "1.$newest" storm; do stays[$name]=1; done

# Two boards on the quay, and one that was looked into after an accident.
run() { docker run --name "$1" --label bulkhead.role="$1" "${@:2}"; }
run board -d --restart unless-stopped -p 8080:8080 -e TIMETABLE=/srv/timetable "board:1.$runs" >/dev/null
# The name moved on since.
docker tag "${sum[configs/1.$fixed+fix]}" board:stable
run quay -d --restart unless-stopped -p 8081:8080 -e TIMETABLE=/srv/timetable board:stable >/dev/null
docker tag "board:1.$((newest - 1))" board:stable
run audit -v /evidence "board:1.$audited" get http://127.0.0.1:9/ >/dev/null 2>&1 || true
echo "By order of the harbour master: kept until the inquiry is over. $BULKHEAD_FLAG" > order.txt
docker cp -q order.txt audit:/evidence/order.txt
echo "$BULKHEAD_SINCE" > since
for name in board quay; do docker cp -q since "$name:/run/since"; done

# The registry's own files, and what the build server knows of them.
while read -r name _ _ _ there; do
  [ "$there" = - ] && continue
  layer=layers/$name config=configs/$name
  printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%s,"digest":"%s"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":%s,"digest":"%s"},{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":%s,"digest":"%s"}]}' \
    "${size[$config]}" "${sum[$config]}" "${size[layers/base]}" "${sum[layers/base]}" "${size[$layer]}" "${sum[$layer]}" > "manifests/$name"
done < images
hash manifests
tree=tree/docker/registry/v2 links=() folders=()
link() { folders+=("$2"); links+=("$1 $2/link"); }
blob() { folders+=("$tree/blobs/sha256/${1:7:2}/${1:7}"); echo "$2 $tree/blobs/sha256/${1:7:2}/${1:7}/data" >> blobs; }
repository=$tree/repositories/board
blob "${sum[layers/base]}" layers/base
link "${sum[layers/base]}" "$repository/_layers/sha256/${sum[layers/base]:7}"
: > stay.manifests; : > stay.blobs; : > stay.tags; : > go.manifests; : > go.blobs
while read -r name _ _ _ there; do
  [ "$there" = - ] && continue
  manifest=${sum[manifests/$name]}
  [ -n "${stays[$name]-}" ] && list=stay || list=go
  echo "manifests/$manifest" >> $list.manifests
  for part in layers configs; do
    blob "${sum[$part/$name]}" "$part/$name"
    link "${sum[$part/$name]}" "$repository/_layers/sha256/${sum[$part/$name]:7}"
    echo "blobs/${sum[$part/$name]}" >> $list.blobs
  done
  blob "$manifest" "manifests/$name"
  link "$manifest" "$repository/_manifests/revisions/sha256/${manifest:7}"
  [ "$there" = . ] && continue
  for tag in ${there//,/ }; do
    link "$manifest" "$repository/_manifests/tags/$tag/current"
    link "$manifest" "$repository/_manifests/tags/$tag/index/sha256/${manifest:7}"
    [ $list = go ] || echo "$tag" >> stay.tags
  done
done < images
mkdir -p "${folders[@]}"
while read -r from to; do ln "$from" "$to"; done < blobs
for entry in "${links[@]}"; do printf %s "${entry%% *}" > "${entry#* }"; done

# Over to them: each asks once.
tar -C tree -cf registry.tar docker
tar -cf lists.tar stay.manifests stay.blobs stay.tags go.manifests go.blobs
setsid sh -c 'nc -lN 5001 < registry.tar; nc -lN 5002 < lists.tar; rm -r "$0"' "$work" >/dev/null 2>&1 </dev/null &
