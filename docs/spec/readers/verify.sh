#!/usr/bin/env bash
# verify.sh STORE KEYFILE [--since CHECKPOINT]: verifies a store of the Custody log format.
#
# Written from the specification alone (../README.md; the § numbers are its). KEYFILE: the verifier keys you
# trust, one a line. Exit: 0 verified, 1 tampering found, 2 wrong usage, 3 could not finish. It needs bash,
# zstd, xxd, openssl 3, awk, sed, find and the GNU coreutils. Hashes are hex, a list of them a file of lines;
# $work/level.L is level L of the log's tree (§4). A log is given up at its first missing or wrong seal.
set -u -o pipefail; shopt -s nullglob; export LC_ALL=C
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT; trap 'exit 3' TERM
give_up() { echo "could not finish: $1" >&2; kill $$; exit 3; }  # a failed tool is never a finding
usage() { echo "$1: see the head of this file" >&2; echo 'verdict: wrong usage'; exit 2; }
report() { codes+="$1 "; printf '%s log=%s segment=%s record=%s %s\n' "$1" "$log" "$2" "$3" "$4"; }
is() { code=$1 why=$2; }  # what it is if the checks that follow fail
source "$(dirname "${BASH_SOURCE[0]}")/log_objects.sh"

# ---- Segments (§6)
read_segment() {  # FILE: sets seed, $work/lines
  local n bytes start descriptor list; is segment-malformed 'the sealed bytes are not a segment (§6)'
  [[ $(xxd -p -l 4 "$1") == 5c2a4d18 ]] && n=$(od -An -tu4 --endian=little -j 4 -N 4 "$1") || return 1
  tail -c +9 "$1" | head -c $((n)) > "$work/text"; read_text "$work/text" || return 1
  if [[ $text =~ ^custody-segment/v[0-9]+$'\n' && $text != custody-segment/v1$'\n'* ]]; then
    is unfinished "needs a reader of ${text%%$'\n'*} (§15)"; return 1; fi
  start=$(printf 'custody-segment/v1\norigin %s\nfirst %s\ncount %s\nbytes ' "$origin" "$first" "$count")
  [[ $text =~ ^"$start"$number$'\n'seed\ $hash$ ]] || return 1
  bytes=${BASH_REMATCH[1]} seed=${BASH_REMATCH[2]}
  descriptor=$(od -An -tu1 -j $((8 + n + 4)) -N 1 "$1") && list=$(zstd -lv "$1" 2>&1) || return 1
  (((descriptor & 3) == 0 && descriptor >> 5 && bytes <= 67108864)) || return 1  # no dictionary, but a size
  [[ $list == *'# Zstandard Frames: 1'$'\n''# Skippable Frames: 1'$'\n'* ]] &&
    [[ $list == *'Decompressed Size: '*"($bytes B)"* ]] &&
    zstd -dcq --memory=64MB < "$1" 2> /dev/null | head -c $((bytes + 1)) > "$work/lines" &&
    (($(wc -c < "$work/lines") == bytes && $(lines_in "$work/lines") == count)) &&
    [[ $(tail -c 1 "$work/lines" | xxd -p) == 0a ]]; }
check_segment() {  # FILE: §11.3, against the seal that was read last
  local i object=$work/object sealed=1 altered=
  head -c 83886081 "$1" > "$object" 2> /dev/null || { report unfinished "$first" - "cannot read $1"; return; }
  [[ $(wc -c < "$object") == "$segment_size" && $(hash_of "$object") == "$segment_hash" ]] || sealed=0
  if read_segment "$object"; then
    mkdir "$work/split"; split -l 1 -a 7 -d "$work/lines" "$work/split/x" || give_up 'disk full?'
    find "$work/split" -type f -exec truncate -s -1 {} +  # a record line is hashed without its LF
    hash_files "$work/split" > "$work/digests"
    altered=$(for ((i = first; i < size; i++)); do printf '03%s%016x\n' "$seed" "$i"; done | hash_each 41 |
      cut -c 1-32 | sed 's/^/02/' | paste -d '\0' - "$work/digests" | hash_each 49 |
      paste -d ' ' - "$work/commitments.list" | awk -v i="$first" '$1 != $2 { print i + NR - 1 }')
    for i in $(((sealed)) && grep -naE '^\{"custody":\{"recovery":\{' "$work/lines" | cut -d : -f 1); do
      report note "$first" $((first + i - 1)) 'a recovery (§7.1): read this record'
    done
    for i in $(((sealed)) && grep -naE '^\{"custody":\{"closed":' "$work/lines" | cut -d : -f 1); do
      ((i == count)) || report segment-malformed "$first" $((first + i - 1)) 'a closed record before the end'
    done
  elif ((sealed)); then report "$code" "$first" - "$why"; fi
  ((sealed)) || report segment-altered "$first" "${altered%%$'\n'*}" "not the sealed bytes"
  for i in $altered; do report record-altered "$first" "$i" 'not the sealed record'; done; }

# ---- Logs (§11)
check_seal() {  # FILE: whether it is a valid seal for $position; sets code to follows or else seal-chain
  is unfinished 'cannot be read'
  head -c 33554433 "$1" > "$work/seal" 2> /dev/null && read_head "$work/seal" || return 1
  is seal-chain 'a seal of another log or position'
  [[ $first == "$position" && $sealed_log == "$log" ]] && check_parts || return 1
  is seal-chain 'the seal does not follow the one before (§8)'
  ((first > 0)) || code=follows
  [[ $follows == 1 && "$origin $vkey $nonce $previous" == "$head_of_log" ]] &&
    cmp -s "$work/before" "$work/head.checkpoint" && code=follows; return 0; }
find_seal() {  # takes the valid seal at $position, and reports what else is there; fails when none follows
  local file taken='' place; local -A codes_of=() reasons=() texts=(); printf -v place %020d "$position"
  for file in "$store/$log/seals/$place".{,*.}seal; do
    [[ ${file##*/} =~ ^$place(\.[1-9][0-9]*)?\.seal$ && -n ${present[seals/${file##*/}]-} ]] || continue
    check_seal "$file" && texts[$file]=$head_text; present[seals/${file##*/}]=judged
    codes_of[$file]=$code reasons[$file]="${file##*/}: $why"
    [[ -n ${texts[$file]-} ]] || continue
    [[ -n $taken && ($code != follows || ${codes_of[$taken]} == follows) ]] || taken=$file
  done
  for file in "${!codes_of[@]}"; do
    code=${codes_of[$file]} stopped=1
    if [[ -n $taken && $file != "$taken" && $code != unfinished ]]; then
      [[ ${texts[$file]-${texts[$taken]}} == "${texts[$taken]}" ]] && code=foreign-object || code=fork; fi
    [[ $code == follows ]] || report "$code" "$position" - "${reasons[$file]}"
  done
  [[ -n $taken && ${codes_of[$taken]} == follows ]] || return 1
  stopped=0; ((${#codes_of[@]} == 1)) || check_seal "$taken"; }
check_rest() {  # what no seal named; names are in order, those of seals before those of segments
  local entry head place names_place='^(segments/([0-9]{20})-[0-9a-f]{32}\.jsonl\.zst|seals/([0-9]{20})(\.[1-9][0-9]*)?\.seal)$'
  printf -v head %020d "$position"
  for entry in "${names[@]}"; do
    [[ ${present[$entry]} == here ]] || continue
    place=$position  # an object within the log is placed by its name
    [[ ! $entry =~ $names_place || ! ${BASH_REMATCH[2]}${BASH_REMATCH[3]} < $head ]] ||
      place=$((10#${BASH_REMATCH[2]}${BASH_REMATCH[3]}))
    code=note; [[ $entry != @(seals|segments)/* ]] || code=foreign-object
    if [[ $entry =~ ^segments/([0-9]{20})-[0-9a-f]{32}\.jsonl\.zst$ ]]; then
      [[ ${BASH_REMATCH[1]} < $head ]] && code=orphan-segment || code=note
    elif [[ $entry =~ ^seals/([0-9]{20})(\.[1-9][0-9]*)?\.seal$ && ! ${BASH_REMATCH[1]} < $head ]]; then
      ((!stopped)) || continue
      stopped=1; is unfinished ''
      head -c 33554433 "$store/$log/$entry" > "$work/seal" 2> /dev/null && read_head "$work/seal" &&
        code=seal-missing
    fi
    report "$code" "$place" - "no seal led to $(printf %q "$entry")"
  done; }
check_log() {
  local position=0 stopped=0 entry at='' next_by at_before head_of_log='' names level
  local ended='' end_before; local -A present=()
  for level in {0..7}; do : > "$work/level.$level"; done
  (cd "$store/$log" && find . -mindepth 1 -name '.*' -prune -o ! -type d -printf '%P\0' | sort -z) \
    > "$work/names" 2> /dev/null || { report unfinished - - 'the log cannot be listed'; blind=1; return; }
  mapfile -d '' -t names < "$work/names"; for entry in "${names[@]}"; do present[$entry]=here; done
  while at_before=$at end_before=$ended && find_seal; do
    [[ ! $end_before ]] || report after-end "$first" - 'the log had ended (§7)'
    [[ ! $at < $at_before ]] || report note "$first" - 'the clock went backwards'
    entry=segments/$(printf '%020d-%.32s' "$first" "$segment_hash").jsonl.zst
    if [[ -n ${present[$entry]-} ]]; then check_segment "$store/$log/$entry"
    elif [[ $retain_until && $retain_until < $now ]]; then report expired "$first" - "$entry"
    else report segment-missing "$first" - "$entry"; fi
    present[$entry]=judged position=$size head_of_log="$origin $vkey $nonce $last_link"
    summary="root $(xxd -r -p <<< "$cp_root" | base64), complete until $at, ${ended:+the log has ended}"
    [[ $ended ]] || summary+="next by ${next_by:-nobody knows when}"
    cp "$work/after" "$work/head.checkpoint"
  done
  check_rest
  ((!stopped)) || echo "not checked: log=$log records from $position on"
  ((position)) || { blind=$((blind | stopped)); return; }  # its origin is unknown
  echo "log $log: $position records, $summary"
  [[ -n $kept && ${head_of_log%% *} == "$kept_origin" ]] || return; kept_found=1
  ((position < kept_size)) ||
    for level in {0..7}; do edge_at "$level" "$kept_size" > "$work/edge.$level"; done
  if ((position >= kept_size)); then
    [[ $(edge_root) == "$kept_root" ]] || report fork 0 - 'not the root of the kept checkpoint, at its size'
  elif ((!stopped)); then report rollback "$position" - "the kept checkpoint has $kept_size records"; fi; }
[[ $# == 2 || $# == 4 && $3 == --since ]] && [[ -d $1 && -r $2 ]] || usage 'wrong arguments'
for tool in zstd openssl xxd awk sed iconv sha256sum; do
  command -v $tool > /dev/null || give_up "$tool is missing"
done
store=$1 kept=${4-} now=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ) codes=' ' logs=0 blind=0 kept_found=0
declare -A public_key
while IFS= read -r line; do
  read_vkey "$line" || usage "not a verifier key: $line"; public_key[$key_name+$key_id]=${raw:2}
done < "$2"
[[ -z $kept ]] || { [[ -r $kept ]] && read_checkpoint "$kept" '' && ((signed)); } || usage 'bad checkpoint'
[[ -z $kept ]] || kept_origin=$cp_origin kept_size=$cp_size kept_root=$cp_root
for log in "$store"/*; do
  log=${log##*/}
  [[ -d $store/$log && $log =~ ^[a-z0-9][a-z0-9._-]{0,62}$ ]] || continue  # not a log
  logs=$((logs + 1)); check_log
done
log=-
[[ -z $kept ]] || ((kept_found || blind)) || report rollback - - "no log of the kept checkpoint's origin"
((logs)) || report unfinished - - 'no log in this store'
[[ -n $kept ]] || echo 'not checked: whether ends were cut off (no kept checkpoint)'
echo 'not checked: tiles; canonical form (§3.8); the other members of closed records'
case $codes in
  *-* | *' fork '* | *' rollback '*) echo 'verdict: tampering found'; exit 1 ;;
  *' unfinished '*) echo 'verdict: could not finish'; exit 3 ;;
esac
echo 'verdict: verified'
