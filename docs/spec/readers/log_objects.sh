# What verify.sh knows of single objects: hashes and the tree (§4), keys, notes and checkpoints (§5), seals (§8).
# It is read by verify.sh and does nothing by itself. The § numbers are those of ../README.md.

# ---- Hashes and the tree (§4)
hash_of() { sha256sum < "$1" | head -c 64; }
lines_in() { wc -l < "$1"; }
hash_files() { (cd "$1" && ls | xargs -r sha256sum | cut -c 1-64) && rm -r "$1" || give_up hashing; }
hash_each() {  # BYTES: the hash of each string on stdin; the strings have BYTES bytes each and come in hex
  local folder; folder=$(mktemp -dp "$work")
  xxd -r -p | split -a 7 -d -b "$1" - "$folder/x" && hash_files "$folder" || give_up hashing; }
halve() {  # FILE: each two hashes become their parent; an odd one moves up
  awk 'NR % 2 { left = $0; next } { print "01" left $0 }' "$1" | hash_each 65 > "$1.half"
  (($(lines_in "$1") % 2 == 0)) || tail -n 1 "$1" >> "$1.half"
  mv "$1.half" "$1"; }
grow_levels() {  # each full group of 256 hashes becomes a hash of the level above
  local level known groups
  for level in {0..6}; do
    known=$(lines_in "$work/level.$((level + 1))")
    groups=$(($(lines_in "$work/level.$level") / 256 - known)); ((groups)) || return 0
    tail -n +$((known * 256 + 1)) "$work/level.$level" | head -n $((groups * 256)) > "$work/group"
    for _ in {1..8}; do halve "$work/group"; done
    cat "$work/group" >> "$work/level.$((level + 1))"
  done; }
edge_at() { head -n $(($2 >> 8 * $1)) "$work/level.$1" | tail -n $(($2 >> 8 * $1 & 255)); }  # LEVEL SIZE
edge_root() {  # the root that follows from the edge in $work/edge.0 to edge.7
  : > "$work/row"
  for level in {0..7}; do
    cat "$work/edge.$level" "$work/row" > "$work/root"; mv "$work/root" "$work/row"
    while (($(lines_in "$work/row") > 1)); do halve "$work/row"; done
  done
  if [[ -s $work/row ]]; then cat "$work/row"; else hash_of /dev/null; fi; }

# ---- Keys, notes, checkpoints (§5). A number of more than 18 digits is refused: bash would overflow.
number='(0|[1-9][0-9]{0,17})' hash='([0-9a-f]{64})' name='([^[:cntrl:] +]{1,255})'
# The bytes of U+0080 to U+00A0, of further white space, and of U+FFFD, which no note has.
odd=$'\xc2[\x80-\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80|\xef\xbf\xbd'
base64='([A-Za-z0-9+/]+=*)'
unbase64() {  # sets raw, in hex
  raw=$(base64 -d <<< "$1" 2> /dev/null | xxd -p | tr -d '\n')
  [[ $(xxd -r -p <<< "$raw" | base64 -w 0) == "$1" ]]; }
read_text() { { text=$(cat "$1"); } 2> /dev/null; printf '%s\n' "$text" | cmp -s - "$1"; }  # fails on NUL
read_vkey() {  # sets key_name, key_id, raw
  [[ $1 =~ ^$name\+([0-9a-f]{8})\+$base64$ ]] && key_name=${BASH_REMATCH[1]} key_id=${BASH_REMATCH[2]} &&
    unbase64 "${BASH_REMATCH[3]}" && [[ $raw =~ ^01.{64}$ ]] &&
    [[ $({ echo "$key_name"; xxd -r -p <<< "$raw"; } | sha256sum) == "$key_id"* ]]; }
signature_is_right() {  # PUBLIC_KEY FILE SIGNATURE: Ed25519
  xxd -r -p <<< "302a300506032b6570032100$1" > "$work/der"; xxd -r -p <<< "$3" > "$work/signature"
  set -- -verify -rawin -pubin -keyform DER -inkey "$work/der" -in "$2" -sigfile "$work/signature"
  case $(openssl pkeyutl "$@" 2>&1) in
    *Success*) ;; *Verif*) return 1 ;; *) give_up 'openssl cannot check Ed25519 signatures' ;;
  esac; }
read_note() {  # FILE ORIGIN: sets text, and signed: by a trusted key of ORIGIN, or by any if that is ''
  local line key seen=' ' wrong=0 lines=0 form="^— $name $base64\$"; signed=0
  sed '/^$/,$d' "$1" > "$work/text"; sed '0,/^$/d; /^$/,$d' "$1" > "$work/signatures"
  read_text "$work/signatures" && [[ ! $text =~ $odd ]] && read_text "$work/text" && [[ ! $text =~ $odd ]] &&
    cat "$work/text" "$work/signatures" | iconv -f UTF-8 -t UTF-8 > /dev/null 2>&1 || return 1
  while IFS= read -r line; do
    ((++lines <= 100)) && [[ $line =~ $form ]] && key=${BASH_REMATCH[1]} && unbase64 "${BASH_REMATCH[2]}" || return 1
    ((${#raw} > 8)) || return 1
    [[ -z $2 || $key == "$2" ]] && key+=+${raw:0:8} && [[ -n ${public_key[$key]-} ]] || continue
    [[ $seen != *" $key "* ]] && signature_is_right "${public_key[$key]}" "$work/text" "${raw:8}" || wrong=1
    signed=1 seen+="$key "
  done < "$work/signatures"
  ((!wrong)) || signed=0; }
read_checkpoint() {  # FILE ORIGIN: sets cp_origin, cp_size, cp_root, signed
  (($(wc -c < "$1") <= 65536)) && read_note "$1" "$2" || return 1
  { cat "$work/text"; echo; cat "$work/signatures"; } | cmp -s - "$1" || return 1
  [[ $text =~ ^$name$'\n'$number$'\n'([A-Za-z0-9+/]{43}=)$ ]] || return 1
  cp_origin=${BASH_REMATCH[1]} cp_size=${BASH_REMATCH[2]}; unbase64 "${BASH_REMATCH[3]}" && cp_root=$raw; }

# ---- Seals (§8)
seal_form="^custody-seal/v1@log ([a-z0-9][a-z0-9._-]{0,62})@origin $name@vkey ([^[:cntrl:]]+)@nonce $hash@"
seal_form+="first $number@count $number@previous $hash@segment_sha256 $hash@segment_size $number@"
seal_form+="closed_salt ([0-9a-f]{32})@"
seal_form+="parts $number $number $number $number $number $number@parts_sha256 $hash\$"
seal_form=${seal_form//@/$'\n'}  # @ stands for LF
time_form='([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z)'
read_head() {  # FILE: conditions 1 and 2; sets the seal's fields
  local m n sum=0 hashes=0; is seal-malformed 'the seal does not parse (§8, 1)'
  (($(wc -c < "$1") <= 33554432)) && read_note "$1" '' &&
    (($(cat "$work/text" "$work/signatures" | wc -c) + 2 <= 65536)) || return 1
  if ((signed)) && [[ $text =~ ^custody-seal/v[0-9]+$'\n' && $text != custody-seal/v1$'\n'* ]]; then
    is unfinished "needs a reader of ${text%%$'\n'*} (§15)"; return 1; fi
  [[ $text =~ $seal_form ]] || return 1
  head_text=$text m=("${BASH_REMATCH[@]}") sealed_log=${BASH_REMATCH[1]}
  origin=${m[2]} vkey=${m[3]} nonce=${m[4]} first=${m[5]} count=${m[6]} previous=${m[7]}
  size=$((first + count))
  segment_hash=${m[8]} segment_size=${m[9]} closed_salt=${m[10]} lengths=("${m[@]:11:6}") parts_hash=${m[17]}
  for level in {0..7}; do hashes=$((hashes + (size >> 8 * level & 255))); done
  for n in "${lengths[@]}"; do sum=$((sum + n)); done
  ((count > 0 && count <= 262144 && segment_size <= 83886080 && lengths[2] <= 1048576)) &&
    ((!lengths[0] == !first && lengths[3] == 32 * hashes && lengths[5] == 32 * count)) &&
    ((lengths[4] == 32 * ((size + 255) / 256 - (first + 255) / 256))) &&
    tail -c "$sum" "$1" > "$work/parts" &&
    { cat "$work/text"; echo; cat "$work/signatures"; echo; cat "$work/parts"; } | cmp -s - "$1" || return 1
  read_vkey "$vkey" && [[ $key_name == "$origin" ]] && read_note "$1" "$origin" || return 1
  is seal-signature 'no trusted key of the origin signed the seal (§8, 2)'; ((signed)); }
check_parts() {  # conditions 3 to 7; sets follows, and the levels of the tree
  local part i=0 link commitment n row start=1 found='' expected="$origin $size " all_signed=1
  is seal-invalid 'parts_sha256, or a checkpoint, is wrong (§8, 3)'
  [[ $(hash_of "$work/parts") == "$parts_hash" ]] || return 1
  for part in before after closed edge anchors commitments; do
    head -c "${lengths[i++]}" > "$work/$part"; xxd -p -c 32 "$work/$part" > "$work/$part.list"
  done < "$work/parts"
  for part in before after; do
    [[ $part$first != before0 ]] || continue
    read_checkpoint "$work/$part" "$origin" || return 1
    found+="$cp_origin $cp_size " all_signed=$((all_signed & signed))
  done
  ((all_signed)) || { is seal-signature 'no trusted key signed a checkpoint (§8, 3)'; return 1; }
  ((first == 0)) || expected="$origin $first $expected"
  [[ $found == "$expected" ]] || return 1
  is seal-invalid 'previous is not the genesis link (§8, 4)'
  printf 'custody/genesis/v1\n%s\n%s\n%s\n' "$origin" "$vkey" "$nonce" > "$work/genesis"
  ((first > 0)) || [[ $previous == "$(hash_of "$work/genesis")" ]] || return 1
  is seal-invalid 'the links do not yield the anchors or the edge (§8, 5)'; follows=1 link=$previous
  for level in {0..7}; do truncate -s $((65 * (first >> 8 * level))) "$work/level.$level"; done  # lines of 65
  while read -r commitment; do
    link=$(xxd -r -p <<< "00c1$link$commitment" | sha256sum) || give_up hashing
    link=${link%% *}; echo "$link"
  done < "$work/commitments.list" >> "$work/level.0"
  { echo "$previous"; tail -n +$((first + 1)) "$work/level.0"; } |
    awk -v m="$first" -v end="$size" 'm < end && m % 256 == 0; { m++ }' | cmp -s - "$work/anchors.list" ||
    return 1
  grow_levels
  for level in {0..7}; do
    n=$((size >> 8 * level & 255))
    tail -n +$start "$work/edge.list" | head -n $n > "$work/edge.$level"; start=$((start + n))
    while read -r row; do  # that differs: within the segment the seal is wrong; before it, it does not follow
      follows=0; ((((size >> 8 * level) - n + row - 1) << 8 * level < first)) || return 1
    done < <(edge_at $level "$size" | paste -d ' ' - "$work/edge.$level" | awk '$1 != $2 { print NR }')
  done
  is seal-invalid "the edge's root is not the checkpoint's (§8, 6)"
  [[ $(edge_root) == "$cp_root" ]] || return 1
  is seal-invalid 'the closed line is not the sealed one, or not of this segment (§8, 7)'
  last_link=$link
  commitment=$(hash_each 49 <<< "02$closed_salt$(hash_of "$work/closed")")
  [[ $commitment == "$(tail -n 1 "$work/commitments.list")" ]] &&
    read_closed; }
read_closed() {  # §7: sets at, next_by, retain_until, ended
  local members m; { cat "$work/closed"; echo; } > "$work/text"
  read_text "$work/text" || return 1
  [[ $text =~ ^'{"custody":{"closed":{'(.*)'}},"observed_time":"'$time_form'","time":"'$time_form'"}'$ ]] ||
    return 1
  at=${BASH_REMATCH[2]} next_by='' retain_until=''; [[ $at == "${BASH_REMATCH[3]}" ]] || return 1
  members=$(sed -E ':a; s/"[^"\\]*":(\{[^{}]*\}|\[[^][]*\])//; ta' <<< ",${BASH_REMATCH[1]},")
  for m in "\"at\":\"$at\"" "\"count\":$count" "\"first\":$first"; do
    [[ $members == *",$m,"* ]] || return 1
  done
  [[ ! $members =~ ,\"next_by\":\"$time_form\", ]] || next_by=${BASH_REMATCH[1]}
  ended=; [[ $next_by || $members != *',"reason":"ended",'* ]] || ended=1
  [[ ! $members =~ ,\"retain_until\":\"$time_form\", ]] || retain_until=${BASH_REMATCH[1]}
  [[ ($next_by || $members != *',"next_by":'*) && ($retain_until || $members != *',"retain_until":'*) ]] &&
    [[ ! $next_by > 2554-07-21T23:34:33.709551615Z && ! $retain_until > 2554-07-21T23:34:33.709551615Z ]]; }
