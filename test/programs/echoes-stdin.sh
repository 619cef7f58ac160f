# Says what it was told, line by line, until it is told "bye".
while IFS= read -r line; do
	printf 'got %s\n' "$line"
	[ "$line" = bye ] && exit 0
done
echo "stdin ended"
