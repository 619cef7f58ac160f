# prints.sh STATUS: lines on stdout, the last without its end; a line on stderr; then STATUS.
printf 'first\n漢字 🐑\n\nlast'
echo trouble >&2
exit "$1"
