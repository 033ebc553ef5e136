# Runs once, in the build: the user `student`, and keys with which `ssh localhost` works at once.
# The keys are this installation's own: they never leave the image, and no sandbox has a network to the outside.
useradd --create-home --shell /bin/bash --groups sudo student
chmod 0440 /etc/sudoers.d/student
for home in /root /home/student; do
  printf '# Prompt, colours and completion: /etc/bash.bashrc\n' > "$home/.bashrc"
  install -d -m 0700 "$home/.ssh"
done
rm -f /home/student/.bash_logout

ssh-keygen -q -t ed25519 -N '' -C 'bulkhead sandbox' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
cp /root/.ssh/id_ed25519 /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys /home/student/.ssh/
chmod 0600 /root/.ssh/* /home/student/.ssh/*
chown -R student:student /home/student

for type in ed25519 ecdsa rsa; do
  key="/etc/ssh/ssh_host_${type}_key.pub"
  test -f "$key" && printf 'localhost,127.0.0.1,::1,host,10.77.0.2 %s\n' "$(cut -d' ' -f1-2 "$key")"
done > /etc/ssh/ssh_known_hosts
chmod 0644 /etc/ssh/ssh_known_hosts
