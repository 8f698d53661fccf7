# agent-only.sh AGENT: what an ssh key may do that is for the agent alone. sshd gives the words from the other side of the line in
# SSH_ORIGINAL_COMMAND; no shell reads them, and nothing but plain words is let through. Run by bash.
set -f -u
asked=${SSH_ORIGINAL_COMMAND:-}
refuse() {
	echo "Only the agent may be called here" >&2
	exit 126
}

# Each word may stand in single quotes, as ssh's callers quote them.
case $asked in
*[!A-Za-z0-9\ ._/@:=\'-]*) refuse ;;
esac
words=(${asked//\'/})
[ "${words[0]:-}" = fediversity-agent ] || refuse
exec "$1" "${words[@]:1}"
