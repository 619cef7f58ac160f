# An agent for the `command` driver: asked for a list of tasks it lists A, B and C; one of these waits until all three are at work
# (by files in $TOGETHER), then A and B write the same file and C another one. Where both sides of a conflict are in it, it takes both.
IFS= read -r prompt
say() { printf '%s\n' '{"type":"turn_ended","verdict":{"ok":true},"report":"'"$1"'"}'; exit 0; }
echo '{"type":"session_started","sessionId":"siblings"}'
if grep -q 'End with a block' "$DROVER_PROMPT_FILE"; then
	say '```yaml\ntasks:\n  - title: Write A\n  - title: Write B\n  - title: Write C\n```\n'
fi
if grep -q '^<<<<<<<' same.txt 2>/dev/null; then
	printf 'a\nb\n' >same.txt
	say 'Both are in it.'
fi
for name in A B C; do
	if grep -q "Write $name" "$DROVER_PROMPT_FILE"; then own=$name; fi
done
touch "$TOGETHER/$own"
while ! [ -f "$TOGETHER/A" ] || ! [ -f "$TOGETHER/B" ] || ! [ -f "$TOGETHER/C" ]; do sleep 0.1; done
case $own in
	A) echo a >same.txt ;;
	B) echo b >same.txt ;;
	C) echo c >other.txt ;;
esac
say "Wrote $own."
