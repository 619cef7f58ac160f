# changes-git-config.sh FILE: has git run a program that writes FILE at whatever is done in this repository, and act as another.
cat >trap.sh <<END
#!/bin/sh
echo fired >>'$1'
END
chmod +x trap.sh
for name in core.fsmonitor core.sshCommand core.editor core.pager diff.external filter.x.clean filter.x.smudge gpg.program credential.helper; do
	git config "$name" "$PWD/trap.sh"
done
git config core.hooksPath "$PWD/hooks"
git config user.name Mallory
git config remote.origin.url /nowhere
mkdir hooks
for name in pre-commit post-commit pre-push post-checkout reference-transaction; do cp trap.sh "hooks/$name"; done
echo '* filter=x diff=x' >.gitattributes
