#!/usr/bin/env bash
# check_pack.sh PACK KEYFILE: checks an evidence pack by the specification alone (§12.1 of ../README.md).
#
# KEYFILE: the verifier keys you trust, one a line. Exit: 0 proven, 1 not proven, 2 wrong usage, 3 could not
# finish. It needs bash, xxd, openssl 3, sed, iconv, the GNU coreutils, and ../pack-statement.txt. It prints
# no record: they stand in the pack, as they were sealed. Hashes are hex.
set -u -o pipefail; export LC_ALL=C
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT; trap 'exit 3' TERM
give_up() { echo "could not finish: $1"; echo 'verdict: could not finish'; kill $$; exit 3; }
usage() { echo "$1: see the head of this file" >&2; echo 'verdict: wrong usage'; exit 2; }
end() { echo "not proven: $1"; echo 'verdict: not proven'; exit 1; }
malformed() { end "it is not of the form: $1 (§12.1, 1)"; }
here=$(dirname "${BASH_SOURCE[0]}"); source "$here/log_objects.sh"

next() { IFS= read -r line <&3 && printf '%s\n' "$line" >&4; }  # the next line; what was read goes to seen
field() { next && [[ $line == "$1 "* ]] && value=${line#"$1 "} || malformed "$1"; }
figure() { field "$1"; [[ $value =~ ^$number$ ]] || malformed "$1"; }
node() { hash=$(xxd -r -p <<< "01$1$2" | sha256sum) && hash=${hash%% *} || give_up hashing; }

read_head() {  # sets its fields
  next && [[ $line == custody-pack/v1 ]] || give_up 'not an evidence pack that this reader knows'
  field log; [[ $value =~ ^[a-z0-9][a-z0-9._-]{0,62}$ ]] || malformed log
  field origin; origin=$value
  field key; key=$value; read_vkey "$key" && [[ $key_name == "$origin" ]] || malformed key
  field made; made=$value
  [[ $made =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$ && ! $made < 1970 ]] &&
    [[ $(date -u -d "$made" +%Y-%m-%dT%H:%M:%SZ 2> /dev/null) == "$made" ]] || malformed made
  figure size; size=$value; figure count; count=$value; figure first; first=$value; figure last; last=$value
  ((count > 0 && count <= 65536)) || malformed count; }
read_statement() {
  local want words; words=$(cat "$here/../pack-statement.txt") || give_up 'pack-statement.txt is missing'
  words=${words//'<the origin>'/"$origin"} words=${words//'<the key>'/"$key_name+$key_id"}
  words=${words//'<the time>'/"$made"} words=${words//'<the size>'/"$size"}
  words=${words//'<the count>'/"$count"} words=${words//'<the first>'/"$first"}
  words=${words//'<the last>'/"$last"}
  while IFS= read -r want; do
    next && [[ $line == "$want" ]] || malformed 'the statement is not that of its figures'
  done <<< $'\n'"$words"$'\n'; }  # with an empty line before and behind
read_remarks() {  # ends at the line behind; the bytes of the characters that a remark must not have
  local n=0 steers=$'[\x01-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]'
  next || malformed checkpoint
  [[ $line == 'remark '* ]] || return 0
  while [[ $line == 'remark '* ]]; do
    value=${line#remark }
    ((${#value} > 0 && ${#value} <= 1000 && ++n <= 100)) && [[ ! $value =~ $steers ]] || malformed remark
    next || malformed remark
  done
  [[ ! $line ]] && next || malformed 'the line behind the remark'; }
read_its_checkpoint() {  # begins with the line that was read; ends behind the empty line
  local gaps=0
  while printf '%s\n' "$line" >> "$work/note"; do
    next || malformed checkpoint
    [[ $line ]] || ((++gaps < 2)) || break
  done
  read_checkpoint "$work/note" "$origin" && [[ "$cp_origin $cp_size" == "$origin $size" ]] ||
    malformed 'the checkpoint, or it is of another origin or size'; }
check_keys() {
  ((signed)) || end 'no trusted key of its origin signed the checkpoint (§12.1, 2)'
  read_vkey "$key"; local id=$key_name+$key_id
  [[ ${public_key[$id]-} == "${raw:2}" ]] && public_key=(["$id"]="${raw:2}") &&
    read_checkpoint "$work/note" "$origin" && ((signed)) ||
    end 'the key in the pack is not trusted, or did not sign the checkpoint (§12.1, 3)'; }

read_record() {  # sets index, salt, previous, proof, $work/line, and more: whether another one follows
  figure record; index=$value
  next && [[ $line ]] || malformed 'a record line'
  printf %s "$line" > "$work/line"
  field salt; [[ $value =~ ^[0-9a-f]{32}$ ]] || malformed salt; salt=$value
  field previous; [[ $value =~ ^$hash_form$ ]] || malformed previous; previous=$value
  : > "$work/proof"; more=0
  while next; do
    [[ $line ]] || { more=1; break; }
    [[ $line =~ ^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$ ]] || malformed 'a hash of a proof'
    base64 -d <<< "$line" >> "$work/proof" || give_up base64
  done
  [[ ! $line ]] || malformed 'the last line'
  mapfile -t proof < <(xxd -p -c 32 "$work/proof"); ((${#proof[@]} <= 64)) || malformed 'a proof'; }
check_record() {  # condition 4: RFC 9162 §2.1.3.2, which is RFC 6962 §2.1.1 read backwards
  local at=$index end=$((size - 1)) other
  hash=$(xxd -r -p <<< "02$salt$(hash_of "$work/line")" | sha256sum) || give_up hashing
  hash=$(xxd -r -p <<< "00c1$previous${hash%% *}" | sha256sum) && hash=${hash%% *} || give_up hashing
  for other in "${proof[@]}"; do
    ((end > 0)) || return 1
    if ((at & 1 || at == end)); then
      node "$other" "$hash"
      while ((at && !(at & 1))); do at=$((at >> 1)) end=$((end >> 1)); done
    else node "$hash" "$other"; fi
    at=$((at >> 1)) end=$((end >> 1))
  done
  ((index < size && end == 0)) && [[ $hash == "$root" ]]; }

[[ $# == 2 && -r $2 && ! -d $2 ]] || usage 'wrong arguments'
for tool in openssl xxd sed iconv sha256sum; do
  command -v $tool > /dev/null || give_up "$tool is missing"
done
declare -A public_key
while IFS= read -r line; do
  read_vkey "$line" || usage "not a verifier key: $line"; public_key[$key_name+$key_id]=${raw:2}
done < "$2"
((${#public_key[@]})) || usage 'no verifier key'
[[ -r $1 && ! -d $1 ]] && (($(wc -c < "$1") <= 134217728)) && exec 3< "$1" 4> "$work/seen" ||
  give_up 'the pack cannot be read'
hash_form=$hash results='' wrong=0 n=0 before=-1 more=1
read_head; read_statement; read_remarks; read_its_checkpoint; root=$cp_root known=$signed
while ((more)); do
  read_record
  ((index > before && ++n <= count && (n > 1 || index == first))) || malformed 'the records'
  check_record || { wrong=$((wrong + 1)); results+="not proven: record $index (§12.1, 4)"$'\n'; }
  before=$index
done
((n == count && index == last)) || malformed 'the records'
cmp -s "$1" "$work/seen" && iconv -f UTF-8 -t UTF-8 "$1" > /dev/null 2>&1 || malformed 'it is not text'
signed=$known; check_keys
printf '%s%s\n' "$results" "$((n - wrong)) of $n records of $origin are proven at size $size"
echo 'not checked: log, made and remark, which are the words of whoever made the pack; canonical form (§3.8)'
((!wrong)) || { echo 'verdict: not proven'; exit 1; }
echo 'verdict: proven'
