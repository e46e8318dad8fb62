#!/usr/bin/env bash
# verify.sh STORE KEYFILE [--since CHECKPOINT]: verifies a store of the Custody log format by its specification alone.
#
# The § numbers are those of ../README.md. KEYFILE holds the verifier keys you trust, one a line. Needs bash, zstd, xxd,
# openssl 3, awk, sed and the GNU coreutils. Exit: 0 verified, 1 tampering found, 2 wrong usage, 3 could not finish.
# A hash is 64 hex digits, a list of hashes a file of lines; an edge is a folder with a list for each level, 0 to 7.
set -u -o pipefail; shopt -s extglob nullglob; export LC_ALL=C; umask 077; trap 'exit 3' TERM
codes=' ' nl=$'\n'; W=$(mktemp -d) || exit 3; trap 'rm -rf "$W"' EXIT
stop() { echo "could not finish: ${1-a tool failed; is the disk full?}" >&2; kill $$; exit 3; }  # never tampering
say() { codes+="$1 "; printf '%s log=%s segment=%s record=%s %s\n' "$@"; }           # CODE LOG SEGMENT RECORD MESSAGE
bad() { code=$1 why=$2; return 1; }
lines_of() { wc -l < "$1"; }
hash_of() { sha256sum < "$1" | head -c 64; }
# ---- §4 hashes, tree ----
digests() { (cd "$1" && printf '%s\0' x* | xargs -0r sha256sum | cut -c 1-64) && rm -r "$1"; }     # of a folder's files
hashes() { (m=$(mktemp -dp "$W") && xxd -r -p | split -a 6 -d -b "$1" - "$m/x" && digests "$m") || stop; }  # of $1 bytes each
chain() {  # the links after link $1 of the commitments on stdin, each written into a pipe that sha256sum reads next
  local h=$1 c m byte; printf -v byte '(..)%.0s' {1..32}; cd "$W" && sed 's/../\\x&/g' > c || stop
  exec 3< <(yes p | head -n "$(lines_of c)" | stdbuf -oL xargs sha256sum)
  while read -r c; do
    [[ $h =~ ^$byte$ ]]; printf -v m '\\x%s' 00 c1 "${BASH_REMATCH[@]:1}"; printf %b "$m$c" > p
    read -r -t 60 h _ <&3 || stop; echo "$h"
  done < c; }
halve() { awk 'NR % 2 { l = $0; next } { print "01" l $0 }' "$1" | hashes 65; (($(lines_of "$1") % 2 == 0)) || tail -n 1 "$1"; }
root() {  # of the hashes on stdin: pairs, and an odd one out moves up (RFC 6962 §2.1); nothing for none
  cat > "$W/t"; while (($(lines_of "$W/t") > 1)); do halve "$W/t" > "$W/u"; mv "$W/u" "$W/t"; done; cat "$W/t"; }
edge() {  # DIR SIZE: the edge at SIZE of the hashes on stdin
  local L w at=1; rm -rf "$1"; mkdir "$1"; cat > "$W/t"
  for ((L = 0; L < 8 && $2 >> 8 * L; L++)); do w=$(($2 >> 8 * L & 255)); tail -n +$at "$W/t" | head -n $w > "$1/$L"; at=$((at + w)); done; }
edge_root() { local L r=; for L in "$1"/?; do r=$({ cat "$L"; echo -n "${r:+$r$nl}"; } | root); done; echo "${r:-$(hash_of /dev/null)}"; }
grow() {  # DIR FIRST EDGE: lists of all that is known by the edge before, if given, and the links on stdin; DIR/at.L: where list L begins
  local L a=$2 n skip; rm -rf "$1"; mkdir "$1"; cat > "$W/new"
  for L in {0..7}; do
    if [[ $3 ]]; then a=$(($2 >> 8 * L & ~255)); [[ ! -e $3/$L ]] || cp "$3/$L" "$1/$L"; fi
    [[ -s $W/new || -e $1/$L ]] || break
    cat "$W/new" >> "$1/$L"; echo "$a" > "$1/at.$L"; skip=$((-a & 255)) n=$(lines_of "$1/$L"); n=$((n > skip ? (n - skip) / 256 : 0))
    a=$(((a + skip) / 256)); ((n)) || { : > "$W/new"; continue; }
    tail -n +$((skip + 1)) "$1/$L" | head -n $((256 * n)) > "$W/new"
    ((L == 0)) || split -l 256 -a 20 --numeric-suffixes=$a "$W/new" "$1/tile.$L." || stop
    for _ in {1..8}; do halve "$W/new" > "$W/u"; mv "$W/u" "$W/new"; done
  done; }
agree() {  # KNOWN EDGE: whether they have the same ends
  local L n m; for L in "$1"/?; do n=$(lines_of "$L") m=$(lines_of "$2/${L##*/}"); n=$((n < m ? n : m))
    cmp -s <(tail -n $n "$L") <(tail -n $n "$2/${L##*/}") || return 1; done; }
# ---- §5 keys, notes, checkpoints ----
dec='(0|[1-9][0-9]{0,18})' hex='([0-9a-f]{64})' name='([^[:cntrl:] +]{1,255})' b64='([A-Za-z0-9+/]+=*)'
declare -A KEY S H C
unbase64() { raw=$(base64 -d <<< "$1" 2> /dev/null | xxd -p | tr -d '\n'); [[ $(xxd -r -p <<< "$raw" | base64 -w 0) == "$1" ]]; }
fits() { local n; for n; do ((${#n} < 19)) || [[ ! $n > 9223372036854775807 ]] || return 1; done; }   # below 2^63
slurp() { { text=$(cat "$1"; echo .); } 2> /dev/null; text=${text%.}; printf %s "$text" | cmp -s - "$1"; }  # fails on NUL
vkey() {  # sets raw and match
  [[ $1 =~ ^$name\+([0-9a-f]{8})\+$b64$ ]] && match=("${BASH_REMATCH[@]}") && unbase64 "${match[3]}" && [[ $raw =~ ^01.{64}$ ]] &&
    [[ $({ printf '%s\n' "${match[1]}"; xxd -r -p <<< "$raw"; } | sha256sum) == "${match[2]}"* ]]; }
signature() {  # PUBLIC_KEY MESSAGE_FILE SIGNATURE
  xxd -r -p <<< "302a300506032b6570032100$1" > "$W/key"; xxd -r -p <<< "$3" > "$W/sig"
  case $(openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$W/key" -in "$2" -sigfile "$W/sig" 2>&1) in
    *Success*) ;; *Verif*) return 1;; *) stop 'openssl cannot check Ed25519';; esac; }
note() {  # TEXT_FILE SIGNATURES_FILE ORIGIN: fails when malformed; sets signed: by keys of ORIGIN or, if that is empty, of any name
  local line k seen=' ' ok=1; signed=0; slurp "$2" && [[ $text == *"$nl" ]] || return 1
  while IFS= read -r line; do
    [[ $line =~ ^"— "$name" "$b64$ ]] || return 1
    k=${BASH_REMATCH[1]}; unbase64 "${BASH_REMATCH[2]}" && ((${#raw} > 8)) || return 1
    [[ -z $3 || $k == "$3" ]] && k=$k+${raw:0:8} && [[ -n ${KEY[$k]-} ]] || continue         # of an unknown key: ignored
    [[ $seen != *" $k "* ]] && signature "${KEY[$k]}" "$1" "${raw:8}" && signed=1 || ok=0; seen+="$k "
  done < "$2"; signed=$((signed & ok)); }
checkpoint() {  # FILE ORIGIN: fails when malformed; sets cp (origin, size, root) and signed: by a trusted key of ORIGIN
  sed '/^$/,$d' "$1" > "$W/text"; sed '0,/^$/d' "$1" > "$W/sigs"; (($(wc -c < "$1") <= 65536)) || return 1
  { cat "$W/text"; echo; cat "$W/sigs"; } | cmp -s - "$1" && slurp "$W/text" || return 1
  [[ $text =~ ^$name$nl$dec$nl([A-Za-z0-9+/]{43}=)$nl$ ]] || return 1
  cp=("${BASH_REMATCH[@]:1}"); unbase64 "${cp[2]}" && fits "${cp[1]}" && cp[2]=$raw && note "$W/text" "$W/sigs" "${2:-${cp[0]}}"; }
# ---- §8 seal ----
head_re="^custody-seal/v1${nl}log ([a-z0-9][a-z0-9._-]{0,62})${nl}origin $name${nl}vkey ([^$nl]+)${nl}nonce $hex${nl}first $dec"
head_re+="${nl}count $dec${nl}previous $hex${nl}segment_sha256 $hex${nl}segment_size $dec${nl}closed_salt ([0-9a-f]{32})"
head_re+="${nl}parts $dec $dec $dec $dec $dec ${dec}${nl}parts_sha256 $hex$nl$"
T='([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z)' fields=(log origin vkey nonce first count previous sha256 bytes salt)
closed_record() {  # FILE: sets C, members of a closed record (§7)
  slurp "$1" && [[ $text =~ ^'{"custody":{"closed":{'(.*)'}},"observed_time":"'$T'","time":"'$T'"}'$ ]] || return 1
  local at=${BASH_REMATCH[2]} k in=${BASH_REMATCH[1]}; C=(); [[ $at == "${BASH_REMATCH[3]}" && ,$in == *',"counts":{'* ]] || return 1
  in=$(sed -E ':a; s/"([^"\\]|\\.)*":(\{[^{}]*\}|\[[^][]*\])//; ta' <<< "$in")                       # without maps and arrays
  for k in count first; do [[ $in =~ (^|,)\"$k\":([0-9]+)(,|$) ]] || return 1; C[$k]=${BASH_REMATCH[2]}; done
  for k in key reason software; do [[ $in =~ (^|,)\"$k\":\" ]] || return 1; done
  for k in at next_by retain_until; do
    [[ $in =~ (^|,)\"$k\":\"$T\"(,|$) && ! ${BASH_REMATCH[2]} > 2554-07-21T23:34:33.709551615Z ]] && C[$k]=${BASH_REMATCH[2]} ||
      [[ ! $in =~ (^|,)\"$k\": ]] || return 1; done
  [[ ${C[at]-} == "$at" ]]; }
seal() {  # FILE DIR: sets S, or code and why; lists into DIR; H is the seal before, with its folder in H[dir]
  local f=$1 d=$2 n L i w p good; S=([dir]=$d [breaks]=); mkdir "$d"; code=seal-malformed why='the seal does not parse (§8, 1)'
  sed '/^$/,$d' "$f" > "$d/text"; sed '0,/^$/d;/^$/,$d' "$f" > "$d/sigs"; { cat "$d/text"; echo; cat "$d/sigs"; echo; } > "$d/head"
  n=$(wc -c < "$d/head"); (($(wc -c < "$f") <= 33554432)) && head -c "$n" "$f" | cmp -s - "$d/head" && slurp "$d/text" || return 1
  local t=$text; if [[ $t =~ ^custody-seal/v[0-9]+$nl && $t != custody-seal/v1$nl* ]] && note "$d/text" "$d/sigs" '' && ((signed)); then
    bad unfinished "needs a reader of ${t%%"$nl"*} (§15)"; return; fi
  [[ $t =~ $head_re ]] || return 1
  local m=("${BASH_REMATCH[@]:1}"); p=("${m[@]:10:6}"); for i in {0..9}; do S[${fields[i]}]=${m[i]}; done
  local first=${S[first]} count=${S[count]} size; fits "$first" "$count" "${S[bytes]}" "${p[@]}" || return 1
  S[size]=$((size = first + count)); ((count > 0 && count <= 262144 && size > 0 && S[bytes] <= 83886080 && p[2] <= 1048576)) || return 1
  for ((w = 0, L = 0; L < 8; L++)); do w=$((w + (size >> 8 * L & 255))); done
  ((p[3] == 32 * w && p[4] == 32 * ((size + 255) / 256 - (first + 255) / 256) && p[5] == 32 * count && !p[0] == !first)) || return 1
  tail -c +$((n + 1)) "$f" > "$d/parts"; n=0; for i in "${p[@]}"; do ((i < 33554432)) || return 1; n=$((n + i)); done
  (($(wc -c < "$d/parts") == n)) && vkey "${S[vkey]}" && [[ ${match[1]} == "${S[origin]}" ]] && note "$d/text" "$d/sigs" "${S[origin]}" || return 1
  ((signed)) || { bad seal-signature 'the seal is not signed by a trusted key of its origin'; return; }                      # 2
  code=seal-invalid why='the seal is signed, but contradicts itself (§8, 3 to 7)'; [[ $(hash_of "$d/parts") == "${m[16]}" ]] || return 1  # 3
  for i in {0..5}; do head -c "${p[i]}" > "$d/part$i"; done < "$d/parts"; for i in 3 4 5; do xxd -p -c 32 "$d/part$i" > "$d/list$i"; done
  good=1 w=; for i in 1 0; do ((p[i])) || { ((i)) && return 1; continue; }
    checkpoint "$d/part$i" "${S[origin]}" || return 1; good=$((good & signed)); w+="${cp[*]:0:2} "; ((i)) && S[root]=${cp[2]}; done
  ((good)) || { bad seal-signature 'a checkpoint is not signed by a trusted key of its origin'; return; }
  n="${S[origin]} $size "; ((first)) && n+="${S[origin]} $first "; [[ $w == "$n" ]] || return 1
  n=$(printf 'custody/genesis/v1\n%s\n%s\n%s\n' "${S[origin]}" "${S[vkey]}" "${S[nonce]}" | hash_of /dev/stdin)
  ((first)) || [[ $n == "${S[previous]}" ]] || return 1                                                                    # 4
  { echo "${S[previous]}"; chain "${S[previous]}" < "$d/list5"; } > "$d/links"; S[last]=$(tail -n 1 "$d/links")             # 5
  awk -v w=$(((-first & 255) + 1)) -v n="$count" 'NR <= n && NR >= w && (NR - w) % 256 == 0' "$d/links" | cmp -s - "$d/list4" || return 1
  local base=; [[ ${H[size]-} == "$first" ]] && base=${H[dir]}/edge
  edge "$d/edge" "$size" < "$d/list3"; tail -n +2 "$d/links" | grow "$d/known" "$first" "$base"
  if ! agree "$d/known" "$d/edge"; then S[breaks]=edge; tail -n +2 "$d/links" | grow "$d/own" "$first" ""; agree "$d/own" "$d/edge" || return 1; fi
  [[ $(edge_root "$d/edge") == "${S[root]}" ]] || return 1                                                                 # 6
  [[ $(hashes 49 <<< "02${S[salt]}$(hash_of "$d/part2")") == "$(tail -n 1 "$d/list5")" ]] && closed_record "$d/part2" &&    # 7
    [[ ${C[first]} == "$first" && ${C[count]} == "$count" ]] || return 1
  S+=([at]=${C[at]} [next_by]=${C[next_by]-} [retain]=${C[retain_until]-9} [id]="${m[*]:0:4}")
  S[name]=segments/$(printf '%020d-%.32s' "$first" "${S[sha256]}").jsonl.zst
  [[ -z $base ]] || { [[ ${H[last]} == "${S[previous]}" ]] && cmp -s "${H[dir]}/part1" "$d/part0"; } || S[breaks]=previous
  [[ ${H[id]-${S[id]}} == "${S[id]}" ]] || S[breaks]=id; }
# ---- §6 segment object ----
le() { local n; n=$(od -An -tu8 --endian=little -j "$2" -N "$3" "$1" 2> /dev/null) && [[ -n $n ]] && echo $((n)); }   # a number
segment() {  # FILE SEALED: sets seed and $W/lines; walks the zstd frame's blocks, so that nothing can stand behind it
  local f=$1 n p d size w b=0 end; end=$(wc -c < "$f"); code=; n=$(le "$f" 4 4) && [[ $(xxd -p -l 4 "$f") == 5c2a4d18 ]] || return 1
  tail -c +9 "$f" | head -c "$n" > "$W/text"; slurp "$W/text" || return 1
  [[ $2 == 0 || $text == custody-segment/v1$nl* || ! $text =~ ^custody-segment/v[0-9]+$nl ]] ||
    { bad unfinished "needs a reader of ${text%%"$nl"*} (§15)"; return; }
  [[ $text == "custody-segment/v1${nl}origin ${H[origin]}${nl}first ${H[first]}${nl}count ${H[count]}${nl}"* &&
    ${text#*"${nl}count ${H[count]}$nl"} =~ ^bytes\ $dec${nl}seed\ $hex$nl$ ]] || return 1
  size=${BASH_REMATCH[1]} seed=${BASH_REMATCH[2]} p=$((8 + n)); fits "$size" && ((size <= 67108864)) || return 1
  [[ $(xxd -p -s $p -l 4 "$f") == 28b52ffd ]] && d=$(le "$f" $((p + 4)) 1) && (((d & 11) == 0 && d >> 5)) || return 1   # no dictionary
  w=$(((d >> 6) ? 1 << (d >> 6) : d >> 5 & 1)); p=$((p + 6 - (d >> 5 & 1) + w))  # the content size is stated: zstd compares it
  while ((!(b & 1))); do b=$(le "$f" $p 3) || return 1; p=$((p + 3 + ((b >> 1 & 3) == 1 ? 1 : b >> 3))); done
  ((p + (d & 4) == end)) && zstd -dcq < "$f" 2> /dev/null | head -c $((size + 1)) > "$W/lines" || return 1
  (($(wc -c < "$W/lines") == size && $(lines_of "$W/lines") == H[count])) && [[ $(tail -c 1 "$W/lines" | xxd -p) == 0a ]]; }
check_segment() {  # LOG FILE: §11.3 for the seal H
  local i n sealed=0 first=${H[first]} f=$W/segment; head -c 83886081 "$2" > "$f" 2> /dev/null || { say unfinished "$1" "$first" - "$2"; return; }
  [[ $(wc -c < "$f") == "${H[bytes]}" && $(hash_of "$f") == "${H[sha256]}" ]] && sealed=1 ||
    say segment-altered "$1" "$first" - "the object's bytes are not the sealed ones"
  if ! segment "$f" $sealed; then
    ((!sealed)) || say "${code:-segment-malformed}" "$1" "$first" - "${code:+$why: }sealed bytes that are no segment"; return; fi
  m=$(mktemp -dp "$W") && split -l 1 -a 6 -d "$W/lines" "$m/x" && printf '%s\0' "$m"/x* | xargs -0 truncate -s -1 || stop
  digests "$m" > "$W/digests" || stop
  for ((i = first; i < H[size]; i++)); do printf '03%s%016x\n' "$seed" "$i"; done | hashes 41 | cut -c 1-32 | sed 's/^/02/' |
    paste -d '\0' - "$W/digests" | hashes 49 | paste -d ' ' - "${H[dir]}/list5" | awk '$1 != $2 { print NR }' > "$W/altered"
  while read -r i; do say record-altered "$1" "$first" $((first + i - 1)) 'not the sealed record'; done < "$W/altered"
  while IFS=: read -r i _; do ((i == H[count])) || grep -qx "$i" "$W/altered" ||
    say segment-malformed "$1" "$first" $((first + i - 1)) 'a closed record before the end'
  done < <(grep -naoE '^\{"custody":\{"closed":\{' "$W/lines"); }
# ---- §11 verification ----
since() {  # LOG: §11.7, when the kept checkpoint's size lies within the seal H
  [[ -n $kept && ${kept_cp[0]} == "${H[origin]}" ]] && ((H[first] < k_size && k_size <= H[size] || k_size + H[first] == 0)) || return
  local L i k=$k_size; rm -rf "$W/k"; mkdir "$W/k"
  for ((L = 0; L < 8 && k >> 8 * L; L++)); do ((k >> 8 * L & 255)) || continue
    i=$(cat "${H[dir]}/known/at.$L" 2> /dev/null) && i=$(((k >> 8 * L & ~255) - i)) && ((i >= 0)) ||
      { say unfinished "$1" "${H[first]}" - "no root at the kept checkpoint's size"; return; }
    tail -n +$((i + 1)) "${H[dir]}/known/$L" | head -n $((k >> 8 * L & 255)) > "$W/k/$L"; done
  [[ $(edge_root "$W/k") == "${kept_cp[2]}" ]] || say fork "$1" "${H[first]}" - "another root than the kept checkpoint's"; }
check_log() {  # LOG
  local log=$1 dir=$STORE/$1 size=0 blind=0 pos n m t first k covered=() missing=-1; H=(); local -A present=() named=() tile=()
  (cd "$dir" && find . -mindepth 1 -name '.*' -prune -o ! -type d -printf '%P\0' | sort -z) > "$W/names" 2> /dev/null ||
    { say unfinished "$log" - - 'cannot be listed'; return; }
  while IFS= read -rd '' n; do present[$n]=1
    [[ $n =~ ^seals/([0-9]{20})(\.([1-9][0-9]*))?\.seal$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[3]:-0} $n"
  done < "$W/names" | sort -k 1,1 -k 2,2n > "$W/seals"
  while IFS= read -rd '' n; do present[$n]=1; done < "$W/names"
  for pos in $(cut -d ' ' -f 1 "$W/seals" | uniq); do
    [[ $pos < $(printf %020d "$size") ]] && continue
    first=${pos##*(0)}; first=${first:-0}; local others=() valid=() best=; local -A B=()
    while read -r _ k n; do
      unset "present[$n]"; rm -rf "$W/$first.$k"; code=unfinished why='cannot be read'
      if head -c 33554433 "$dir/$n" > "$W/seal" 2> /dev/null && seal "$W/seal" "$W/$first.$k" &&
        { [[ ${S[first]} == "$first" && ${S[log]} == "$log" ]] || bad seal-chain "a seal of ${S[log]} at ${S[first]}"; }; then
        named[${S[name]}]=1; [[ -z $best || -n ${B[breaks]} && -z ${S[breaks]} ]] && best=$n && for t in "${!S[@]}"; do B[$t]=${S[$t]}; done
        valid+=("$n|${S[dir]}")
      else others+=("$code|$n: $why"); [[ $code != unfinished ]] || blind=1; fi
    done < <(grep "^$pos " "$W/seals")
    for t in "${others[@]}"; do
      m=${t%%|*}; [[ -z $best || $m == unfinished ]] || m=foreign-object; say "$m" "$log" "$first" - "${t#*|}"; done
    for t in "${valid[@]}"; do [[ $t != "$best|"* ]] || continue
      m=fork; ! cmp -s "${t#*|}/text" "${B[dir]}/text" || m=foreign-object; say $m "$log" "$first" - "${t%|*}: also valid"; done
    [[ -n $best ]] || continue
    t=$(printf '%020d ' "$size"); [[ $pos == "${t% }" || $missing == "$size" ]] || grep -q "^$t" "$W/seals" ||
      { missing=$size; say seal-missing "$log" "$size" - 'no seal here, but later ones'; }
    [[ -z ${B[breaks]} ]] || say seal-chain "$log" "$first" - 'the seal does not follow the one before'
    [[ ${B[breaks]} != id ]] || continue
    [[ -z ${H[at]-} || ! ${B[at]} < ${H[at]} ]] || say note "$log" "$first" - 'the clock went backwards'
    [[ -z ${H[dir]-} ]] || rm -rf "${H[dir]}"; H=(); for t in "${!B[@]}"; do H[$t]=${B[$t]}; done; size=${H[size]}; since "$log"
    covered+=("$pos $(printf %020d "$size")")
    for t in "${H[dir]}"/known/tile.*; do IFS=. read -r _ m n <<< "${t##*/}"; n=tiles/$m/$n.tile; tile[$n]=1
      xxd -r -p "$t" | cmp -s - "$dir/$n" || say note "$log" - - "$n is missing or differs"; done
    if [[ -n ${present[${H[name]}]-} ]]; then check_segment "$log" "$dir/${H[name]}"
    elif [[ ${H[retain]} < $NOW ]]; then say expired "$log" "$first" - "${H[name]}"
    else say segment-missing "$log" "$first" - "${H[name]} is not there"; fi
  done
  while IFS= read -rd '' n; do
    [[ -n ${present[$n]-} && -z ${named[$n]-}${tile[$n]-} ]] || continue; m=note t=
    if [[ $n =~ ^segments/([0-9]{20})-[0-9a-f]{32}\.jsonl\.zst$ ]]; then pos=${BASH_REMATCH[1]} t=${BASH_REMATCH[1]##*(0)} t=${t:-0}
      for k in "${covered[@]}"; do [[ $pos < ${k% *} || ! $pos < ${k#* } ]] || m=orphan-segment; done
    elif [[ $n == @(segments|seals)/* ]]; then m=foreign-object; fi
    say $m "$log" "${t:--}" - "no seal names $(printf %q "$n")"
  done < "$W/names"
  [[ -z $kept || ${H[origin]-} != "${kept_cp[0]}" ]] || ((size >= k_size || blind)) || say rollback "$log" - - "$size records, but $k_size in the kept checkpoint"
  [[ -n ${H[size]-} ]] || return; origins+=" ${H[origin]} "
  echo "log $log: $size records, root $(xxd -r -p <<< "${H[root]}" | base64), complete until ${H[at]}," \
    "${H[next_by]:+next due by }${H[next_by]:-the log has ended}"; }
usage() { { sed -n '2,5s/^# \?//p' "$0"; echo "$1"; } >&2; echo 'verdict: wrong usage'; exit 2; }
[[ $# == 2 || $# == 4 && $3 == --since ]] && [[ -d $1 && -r $2 ]] || usage 'wrong arguments'
for t in zstd openssl xxd awk sha256sum stdbuf; do command -v $t > /dev/null || stop "$t is not installed"; done; mkfifo "$W/p"
STORE=$1 NOW=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ) kept=${4-} origins= logs=0 k_size=0
while IFS= read -r t; do vkey "$t" || usage "not a verifier key: $t"; KEY[${match[1]}+${match[2]}]=${raw:2}; done < "$2"
if [[ -n $kept ]]; then
  [[ -r $kept ]] && checkpoint "$kept" '' && ((signed)) || usage 'the kept checkpoint is not signed by a trusted key'
  kept_cp=("${cp[@]}") k_size=${cp[1]}; fi
for t in "$STORE"/*; do t=${t##*/}
  if [[ -d $STORE/$t && $t =~ ^[a-z0-9][a-z0-9._-]{0,62}$ ]]; then logs=$((logs + 1)); check_log "$t"
  else say note "$(printf %q "$t")" - - 'not a log'; fi
done
[[ -z $kept || $origins == *" ${kept_cp[0]} "* || $codes == *' unfinished '* ]] || say rollback - - - "no log of the kept checkpoint's origin"
((logs)) || say unfinished - - - 'no log in this store'
[[ -n $kept ]] || echo 'not checked: whether ends were cut off (no kept checkpoint)'
echo 'not checked: canonical form'
case $codes in *-*|*' fork '*|*' rollback '*) echo 'verdict: tampering found'; exit 1;;
  *' unfinished '*) echo 'verdict: could not finish'; exit 3;; esac
echo 'verdict: verified'
