# Sourced by the other scripts. Always as a foreground command: sh starts background ones with SIGINT and SIGQUIT
# ignored, and every agent would inherit that.
if command -v setsid >/dev/null; then
	# in_session COMMAND...: runs it in a session and process group of its own, and waits for it.
	in_session() { setsid "$@"; }
	# detached COMMAND...: the same, without waiting.
	detached() { setsid -f "$@"; }
else
	# macOS has no setsid, but perl.
	in_session() { perl -MPOSIX=setsid -e 'setsid; exec @ARGV or exit 127' "$@"; }
	detached() { perl -MPOSIX=setsid -e 'exit if fork; setsid; exec @ARGV or exit 127' "$@"; }
fi
