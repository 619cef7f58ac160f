# writes-outside.sh FOLDER: writes a file there, by its path and by a link to it, and says which went.
ln -s "$1" out
for file in "$1/direct" out/linked; do
	if (echo outside >"$file") 2>/dev/null; then echo "wrote $(basename "$file")"; else echo "could not write $(basename "$file")"; fi
done
rm out
