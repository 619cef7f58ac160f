# All that no text holds: NUL, every byte, what is no UTF-8, a line of 5 MB, and JSON that is none of ours.
head -c 30000 /dev/urandom
printf '\000\001\377\376\n\355\240\200\n'
head -c 5000000 /dev/zero
printf '\n{"type":"turn_ended"\n[1,2]\n{"type":"usage","usage":{"inputTokens":-1}}\nnull\n'
