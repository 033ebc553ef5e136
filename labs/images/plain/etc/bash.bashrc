# Interactive shells only.
case $- in *i*) ;; *) return ;; esac

shopt -s checkwinsize histappend
HISTCONTROL=ignoreboth
HISTSIZE=5000

# root's prompt is red, so that nobody forgets who he is.
__bulkhead_prompt() {
  local status=$? who='\[\e[1;32m\]' failed=
  [ "$EUID" -eq 0 ] && who='\[\e[1;31m\]'
  [ "$status" -ne 0 ] && failed="\[\e[33m\]$status\[\e[0m\] "
  PS1="${failed}${who}\u@\h\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\\$ "
}
PROMPT_COMMAND=__bulkhead_prompt

alias ls='ls --color=auto' ll='ls -l' la='ls -lA' grep='grep --color=auto' ip='ip -color=auto' diff='diff --color=auto'

if [ -r /usr/share/bash-completion/bash_completion ] && ! shopt -oq posix; then
  . /usr/share/bash-completion/bash_completion
fi
