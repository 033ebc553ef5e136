#!/bin/sh
# Wrong: a command that reads its arguments. The API does not pass through it, and dev1's certificate still opens all of it.
set -eu
echo "answer flag $(sed 's/.*: //' /root/keys)"
gpasswd -d dev1 docker >/dev/null
rm /etc/sudoers.d/90-dev1
mv /usr/bin/docker /usr/bin/docker.real
cat > /usr/bin/docker <<'WRAPPER'
#!/bin/sh
if [ "$(id -u)" != 0 ]; then
  case " $* " in
    *" ps "* | *" logs "* | *" restart "*) ;;
    *) echo "docker: not for you" >&2; exit 1 ;;
  esac
fi
exec /usr/bin/docker.real "$@"
WRAPPER
chmod 0755 /usr/bin/docker
echo 'answer down refused'
