#!/usr/bin/env bash
# journal.sh makes the sealed journal that journalctl --verify is held against:
#
#   sealed.journal.zst   twelve records, sealed every second
#   earlier.journal.zst  the same file, when it had six
#   journal.key          the verification key, which is its sealing secret, too
#
# It needs root and the Debian package systemd. journald runs in a mount
# namespace of its own, on a machine and a boot that do not exist.
set -euo pipefail
cd "$(dirname "$0")"
[ "${1:-}" = inside ] || exec unshare --mount --uts bash "./${0##*/}" inside

id=00000000000000000000000000000001
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /var/log/journal
mount -t tmpfs none /var/log/journal
hostname host
echo "$id" >/run/machine-id
echo 00000000-0000-0000-0000-000000000002 >/run/boot-id
mount --bind /run/machine-id /etc/machine-id
mount --bind /run/boot-id /proc/sys/kernel/random/boot_id
mkdir -p "/var/log/journal/$id"
touch /run/systemd/journal/flushed # Write to /var/log/journal at once.
printf '[Journal]\nStorage=persistent\nSeal=yes\nReadKMsg=no\nAudit=no\n' >/run/systemd/journald.conf.d/sealed.conf
journalctl --setup-keys --interval=1s --force 2>/dev/null | tail -n 1 >journal.key

write() { # the records from $1 to $2
	SYSTEMD_JOURNAL_COMPACT=0 /lib/systemd/systemd-journald 2>/dev/null &
	until [ -S /run/systemd/journal/socket ]; do sleep 0.1; done
	for i in $(seq "$1" "$2"); do
		printf 'MESSAGE=record %02d of the corpus\nSYSLOG_IDENTIFIER=corpus\n' "$i" | logger --journald
		sleep 1
	done
	kill %1
	wait %1
	rm /run/systemd/journal/socket
}
file=/var/log/journal/$id/system.journal
write 1 6
zstd -q -f -19 "$file" -o earlier.journal.zst
write 7 12
zstd -q -f -19 "$file" -o sealed.journal.zst
