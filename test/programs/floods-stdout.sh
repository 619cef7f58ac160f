# floods-stdout.sh MEGABYTES: so many megabytes in lines of 1,024 bytes.
line=$(printf '%01023d' 0)
yes "$line" | head -n "$(($1 * 1024))"
