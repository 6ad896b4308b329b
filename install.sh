#!/bin/sh
# Installs denoSMTPD: the executable, its configuration, a user of the system and a systemd unit.
# `./install.sh --help` says how. Everything is a function that the last lines call, so that half of
# a download does nothing.

set -eu

usage() {
  cat <<'END'
Usage: ./install.sh [OPTION]...

  --from FILE|URL  the executable. What FILE.sha256 or URL.sha256 says of it must be true;
                   a URL must have one. Without --from it is compiled from this checkout.
  --prefix DIR     where it goes: DIR/bin/denosmtpd (preset: /usr/local)
  --no-service     without a systemd unit
  --start          then enable the service, and start it or start it again
  --uninstall      remove executable and unit; configuration, mail and user stay
  --yes            do not ask
  --dry-run        say what would be done and change nothing
  --help           this text

DESTDIR=DIR in the environment puts the files below DIR, for a package: no user is made, and
the executable may be one for another machine.
END
}

# What is wrong, in one line.
fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

misused() {
  fail "$1; ./install.sh --help shows what there is" 2
}

# --- what is asked for ----------------------------------------------------------------------------

read_options() {
  from='' prefix=/usr/local own_prefix=no service=yes start=no uninstall=no yes=no dry_run=no
  while [ $# -gt 0 ]; do
    case $1 in
    --from=* | --prefix=*)
      option=$1
      shift
      set -- "${option%%=*}" "${option#*=}" "$@"
      continue
      ;;
    --from | --prefix)
      [ -n "${2-}" ] || misused "$1 needs a value"
      case $1 in
      --from) from=$2 ;;
      --prefix) prefix=$2 own_prefix=yes ;;
      esac
      shift
      ;;
    --no-service) service=no ;;
    --start) start=yes ;;
    --uninstall) uninstall=yes ;;
    --yes) yes=yes ;;
    --dry-run) dry_run=yes ;;
    --help)
      usage
      exit 0
      ;;
    *) misused "unknown option $1" ;;
    esac
    shift
  done
  case "$start $uninstall $service" in
  'yes yes'* | 'yes no no') misused '--start goes neither with --uninstall nor with --no-service' ;;
  esac
  case $from in -*) from=./$from ;; esac
  [ "$uninstall" = no ] || [ -z "$from" ] || misused '--uninstall takes no --from'
  prefix=$(plain_path --prefix "$prefix")
  root=$(plain_path DESTDIR "${DESTDIR-}")
  [ -z "$root" ] || [ "$start" = no ] || misused 'with DESTDIR nothing can be started'
}

# The path without slashes at its end. It will stand in the unit, where some characters mean more.
plain_path() {
  case $2 in
  '' | /*) ;;
  *) misused "$1 must begin with a slash, $2 does not" ;;
  esac
  case $2 in
  *[!A-Za-z0-9/._+-]*) misused "$1 may hold letters, digits and / . _ + - only: $2" ;;
  esac
  printf '%s\n' "$2" | sed 's,/*$,,'
}

need() {
  absent=''
  for command in "$@"; do
    has "$command" || absent="$absent $command"
  done
  [ -z "$absent" ] || fail "these commands are missing:$absent"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# --- where it may go ------------------------------------------------------------------------------

# A package is made for some other machine, so this one need not fit.
check_system() {
  system=$(uname -s)
  case $system in
  Linux | Darwin) ;;
  *) fail "denosmtpd runs on Linux and macOS, this is $system" ;;
  esac
  machine=$(uname -m)
  case $machine in
  x86_64 | amd64) machine=x86_64 ;;
  arm64 | aarch64) machine=arm64 ;;
  *) [ -n "$root" ] || fail "denosmtpd runs on x86_64 and arm64, this machine is $machine" ;;
  esac
  [ "$system" = Darwin ] || [ -n "$root" ] || check_libc
}

# Without a word from either program the executable itself will show whether it runs.
check_libc() {
  case $(ldd --version 2>&1 || :) in
  *musl*) fail 'this system has musl, denosmtpd needs glibc 2.27: there is no musl build' ;;
  esac
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || :)
  minor=${libc#glibc 2.}
  minor=${minor%%[!0-9]*}
  [ "${minor:-27}" -ge 27 ] || fail "this system has $libc, denosmtpd needs glibc 2.27 or newer"
}

is_root() {
  [ "$(id -u)" -eq 0 ]
}

# Root has the whole system, a packager a tree; others may at least have the executable.
settle_scope() {
  bin=$root$prefix/bin exe=$root$prefix/bin/denosmtpd
  conf=$root/etc/denosmtpd state=$root/var/lib/denosmtpd
  # What comes with packages lies in /usr/lib; /etc is the administrator's.
  system_files=$root/etc
  [ -z "$root" ] || system_files=$root/usr/lib
  unit=$system_files/systemd/system/denosmtpd.service
  setting=$system_files/sysctl.d/60-denosmtpd.conf
  group=0 configure=yes
  [ "$system" = Linux ] || service=no
  if [ -n "$root" ] || is_root; then
    [ -n "$root" ] || [ "$system" != Linux ] || group=denosmtpd
  elif [ "$own_prefix" = yes ] && may_write "$bin"; then
    configure=no service=no
  else
    fail 'must be run as root (sudo), or with a --prefix that you may write to, or with DESTDIR'
  fi
  case $service$prefix/ in
  yes/home/* | yes/root/*)
    fail 'the service may not look into /home and /root: another --prefix, or --no-service'
    ;;
  esac
  [ "$start" = no ] || has_systemd || fail '--start needs systemd, which does not run here'
  [ ! -d "$exe" ] || fail "$exe is a directory, the executable should go there"
}

has_systemd() {
  [ -z "$root" ] && [ "$service" = yes ] && [ -d /run/systemd/system ]
}

# Whether the directory can be written, or made.
may_write() {
  nearest=$1
  while [ ! -e "$nearest" ]; do nearest=$(dirname "$nearest"); done
  [ -d "$nearest" ] && [ -w "$nearest" ]
}

# --- what is installed ----------------------------------------------------------------------------

is_url() {
  case $1 in *://*) return 0 ;; esac
  return 1
}

# Sets source, the file that will be the executable; before it is compiled there is none.
find_executable() {
  source=''
  if [ -z "$from" ]; then
    [ -f "$here/deno.json" ] ||
      fail 'outside of a checkout it must be said what to install: --from FILE or --from URL'
    has deno || has npx ||
      fail 'to compile it Deno is needed, or npx, which fetches it; or say --from FILE'
    return 0
  elif is_url "$from"; then
    source=$work/denosmtpd
    download "$from" "$source"
  else
    [ -f "$from" ] || fail "$from: there is no such file"
    source=$from
    [ ! -f "$from.sha256" ] || verify "$source" "$from.sha256" "$from"
  fi
  check_format
}

compile() {
  tell compile "$here/dist/denosmtpd"
  doing || return 0
  deno=deno
  has deno || deno='npx --yes deno@2.9.6'
  # shellcheck disable=SC2086 # it is a command and its words
  (cd "$here" && $deno task compile >&2 </dev/null) || fail 'it could not be compiled'
  source=$here/dist/denosmtpd
  check_format
}

# A file and what its .sha256 says.
download() {
  printf 'downloading %s\n' "$1"
  fetch "$1" "$2" || fail "$1 could not be downloaded"
  fetch "$1.sha256" "$2.sha256" ||
    fail "$1.sha256 could not be downloaded, and nothing is installed without a checksum"
  verify "$2" "$2.sha256" "$1"
}

# From other machines by https alone. Where a server leads to another address curl sees to that too.
fetch() {
  authority=${1#*://}
  case $1 in
  https://*) scheme=https ;;
  http://*)
    scheme=http
    case ${authority%%/*} in
    *@*) fail "$1: only https will do" ;;
    127.0.0.1 | 127.0.0.1:* | localhost | localhost:* | '[::1]' | '[::1]:'*) ;;
    *) fail "$1: only https will do" ;;
    esac
    no_proxy=127.0.0.1,localhost,::1
    export no_proxy
    ;;
  *) fail "$1: only https will do" ;;
  esac
  if has curl; then
    curl -fsSL --proto "=$scheme" --connect-timeout 30 -o "$2" "$1"
  elif has wget; then
    wget -q -O "$2" "$1"
  else
    fail 'to download it curl or wget is needed'
  fi
}

# FILE CHECKSUM_FILE NAME
verify() {
  said=$(head -n 1 "$2" | cut -d ' ' -f 1 | tr 'A-F' 'a-f')
  printf '%s\n' "$said" | grep -Eqx '[0-9a-f]{64}' || fail "$3.sha256 holds no SHA-256 checksum"
  if has sha256sum; then
    is=$(sha256sum <"$1" | cut -d ' ' -f 1)
  elif has shasum; then
    is=$(shasum -a 256 <"$1" | cut -d ' ' -f 1)
  else
    fail 'to check it sha256sum or shasum is needed'
  fi
  [ "$is" = "$said" ] || fail "$3 is damaged or another one: its SHA-256 is $is, not $said"
}

# ELF has its machine at byte 18, Mach-O at byte 4.
check_format() {
  head=$(od -A n -v -t x1 -N 20 "$source" | tr -d ' \n')
  case $head-$(printf '%s' "$head" | cut -c 37-40) in
  7f454c460201*-3e00) made_for='Linux x86_64' ;;
  7f454c460201*-b700) made_for='Linux arm64' ;;
  cffaedfe07000001*) made_for='Darwin x86_64' ;;
  cffaedfe0c000001*) made_for='Darwin arm64' ;;
  *) fail "${from:-$source} is no executable for Linux or macOS on x86_64 or arm64" ;;
  esac
  [ -n "$root" ] || [ "$made_for" = "$system $machine" ] ||
    fail "${from:-$source} is for $made_for, this machine is $system $machine"
}

# The samples and the files of the service come from where the script or the executable comes from.
provide() {
  if [ -f "$here/conf/$1" ]; then
    take "$here/conf" "$1" "$0"
  elif is_url "$from"; then
    download "${from%/*}/$1" "$work/$1"
  elif [ -n "$from" ] && [ -f "$(dirname "$from")/$1" ]; then
    take "$(dirname "$from")" "$1" "$from"
  else
    fail "$1 is missing: it belongs beside the executable or into conf beside this script"
  fi
}

# FOLDER NAME COMPANION: in a folder like /tmp anybody may have put a file beside what root trusts.
take() {
  # shellcheck disable=SC2012 # the owner's number is in no name of a file
  owner=$(ls -Lnd "$3" | tr -s ' ' | cut -d ' ' -f 3)
  [ -n "$(find "$1/$2" -prune -type f -user "$owner")" ] ||
    fail "$1/$2 is not taken: it belongs to somebody else than $3 does, or is a link"
  cp "$1/$2" "$work/$2"
}

provide_others() {
  for name in mail.conf user.conf; do
    [ "$configure" = no ] || exists "$conf/$name" || provide $name
  done
  [ "$service" = yes ] || return 0
  provide denosmtpd.service
  provide denosmtpd.sysctl
  sed "s,/usr/local/bin/denosmtpd,$prefix/bin/denosmtpd,g" "$work/denosmtpd.service" >"$work/unit"
}

# --- the steps ------------------------------------------------------------------------------------
# Each finds out what there is to do, does it unless this is the plan, and tells.

doing() {
  [ "$planning" = no ]
}

# VERB WHAT
tell() {
  case $planning$1 in
  yes*) set -- "would $1" "$2" ;;
  nokeep) set -- kept "$2" ;;
  nomake) set -- made "$2" ;;
  nostop) set -- stopped "$2" ;;
  *e) set -- "${1}d" "$2" ;;
  *) set -- "${1}ed" "$2" ;;
  esac
  printf '%-13s %s\n' "$1" "$2"
}

exists() {
  [ -e "$1" ] || [ -h "$1" ]
}

make_or_replace() {
  if exists "$1"; then echo replace; else echo make; fi
}

# SOURCE TARGET MODE GROUP: makes `staged`, a file beside the target that needs only its name.
stage() {
  staged=$(mktemp "$(dirname "$2")/.denosmtpd.XXXXXX")
  cp "$1" "$staged"
  own "$staged" "$4"
  chmod "$3" "$staged"
}

# The name never stands for half a file, also after a crash.
publish() {
  sync "$staged" 2>/dev/null || sync
  mv -f "$staged" "$1"
  staged=''
  sync "$(dirname "$1")" 2>/dev/null || sync
  label "$1"
}

own() {
  ! is_root || chown "0:$2" "$1"
}

label() {
  [ -n "$root" ] || ! has restorecon || restorecon -R "$1" || :
}

is_up_to_date() {
  [ -f "$source" ] && [ ! -h "$exe" ] && cmp -s "$source" "$exe" || return 1
  if is_root; then
    [ -n "$(find "$exe" -prune -perm 0755 -user 0)" ]
  else
    [ -n "$(find "$exe" -prune -perm 0755)" ]
  fi
}

install_executable() {
  executable=keep version=''
  if is_up_to_date; then
    tell keep "$exe: up to date"
    return 0
  fi
  executable=$(make_or_replace "$exe")
  if doing; then
    mkdir -p "$bin"
    stage "$source" "$exe" 0755 0
    [ -n "$root" ] || try_executable
    publish "$exe"
  fi
  tell "$executable" "$exe${version:+: $version}"
}

# Nothing is replaced by what does not run.
try_executable() {
  version=$("$staged" --version 2>&1 </dev/null) ||
    fail "${from:-$source} does not run here: $(printf '%s\n' "$version" | tail -n 1)"
  case $version in
  'denosmtpd '*) ;;
  *) fail "${from:-$source} is another program: its --version does not begin with denosmtpd" ;;
  esac
}

has_user() {
  id -u denosmtpd >/dev/null 2>&1
}

has_group() {
  if has getent; then
    getent group denosmtpd >/dev/null
  else
    grep -q '^denosmtpd:' /etc/group
  fi
}

check_user_tools() {
  [ "$group" = denosmtpd ] || return 0
  has_user && has_group || has useradd || has adduser ||
    fail 'there is neither useradd nor adduser: make a user and a group denosmtpd, then try again'
}

install_user() {
  if has_user && has_group; then
    tell keep 'user and group denosmtpd'
    return 0
  fi
  ! doing || has_group || make_group
  ! doing || has_user || make_user
  tell make 'user and group denosmtpd'
}

make_group() {
  if has groupadd; then
    groupadd --system denosmtpd
  else
    addgroup -S denosmtpd
  fi
}

make_user() {
  shell=/bin/false
  for file in /sbin/nologin /usr/sbin/nologin; do
    [ ! -x $file ] || shell=$file
  done
  if has useradd; then
    useradd --system --gid denosmtpd --home-dir /var/lib/denosmtpd --no-create-home \
      --shell $shell denosmtpd
  else
    adduser -S -D -H -h /var/lib/denosmtpd -s $shell -G denosmtpd denosmtpd
  fi
}

# What is there stays as it is, whatever stands in it.
install_configuration() {
  if [ ! -d "$conf" ]; then
    if doing; then
      mkdir -p "$conf"
      own "$conf" "$group"
      chmod 0750 "$conf"
      label "$conf"
    fi
    tell make "$conf"
  fi
  configuration=keep
  for name in mail.conf user.conf; do
    if exists "$conf/$name"; then
      tell keep "$conf/$name"
      continue
    fi
    configuration='make'
    if doing; then
      stage "$work/$name" "$conf/$name" 0640 "$group"
      publish "$conf/$name"
    fi
    tell make "$conf/$name"
  done
}

# Made whole beside its place: root does nothing in a directory that is the daemon's already, where
# a link might stand for something else.
install_state() {
  if [ -d "$state" ]; then
    tell keep "$state"
    ! has_user || [ -n "$(find "$state" -prune -user denosmtpd)" ] || printf '%s\n' \
      "              but it is not denosmtpd's; chown -R denosmtpd:denosmtpd $state makes it so"
    return 0
  fi
  if doing; then
    mkdir -p "$(dirname "$state")"
    staged=$(mktemp -d "$(dirname "$state")/.denosmtpd.XXXXXX")
    mkdir "$staged/mail"
    chmod 0700 "$staged" "$staged/mail"
    chown -R denosmtpd:denosmtpd "$staged"
    mv "$staged" "$state"
    staged=''
    label "$state"
  fi
  tell make "$state, and mail in it"
}

# SOURCE TARGET: a file of the service. Sets changed, what is done with it.
install_system_file() {
  changed=keep
  if cmp -s "$1" "$2"; then
    tell keep "$2"
    return 0
  fi
  # Where a link leads to nothing the administrator wants none (systemctl mask).
  if [ "$(readlink "$2" 2>/dev/null || :)" = /dev/null ]; then
    tell keep "$2, which is masked"
    return 0
  fi
  changed=$(make_or_replace "$2")
  if doing; then
    mkdir -p "$(dirname "$2")"
    stage "$1" "$2" 0644 0
    publish "$2"
  fi
  tell "$changed" "$2"
}

install_unit() {
  install_system_file "$work/unit" "$unit"
  service_unit=$changed
  [ "$changed" = keep ] || ! doing || ! has_systemd || systemctl daemon-reload
}

# It helps where the kernel takes it; containers and older kernels do not, and the service runs
# without it.
install_setting() {
  install_system_file "$work/denosmtpd.sysctl" "$setting"
  [ "$changed" != keep ] && doing && [ -z "$root" ] || return 0
  ! has sysctl || sysctl -q -p "$setting" >/dev/null 2>&1 || :
}

start_service() {
  if [ "$executable $configuration $service_unit" = "keep keep keep" ] &&
    systemctl --quiet is-enabled denosmtpd && systemctl --quiet is-active denosmtpd; then
    tell keep 'the service, which is enabled and runs'
    return 0
  fi
  if doing; then
    systemctl enable denosmtpd
    systemctl restart denosmtpd ||
      fail 'the service did not start: journalctl -u denosmtpd says why'
  fi
  tell start 'the service, at every boot too'
}

install_steps() {
  configuration=keep service_unit=keep
  [ -n "$from" ] || compile
  install_executable
  [ "$group" != denosmtpd ] || install_user
  [ "$configure" = no ] || install_configuration
  [ "$group" != denosmtpd ] || install_state
  [ "$service" = no ] || install_unit
  [ "$service" = no ] || install_setting
  [ "$start" = no ] || start_service
}

# Another prefix may have been given when it was installed.
check_service_prefix() {
  [ "$service" = yes ] && [ -f "$unit" ] || return 0
  runs=$(sed -n 's,^ExecStart=\([^ ]*\)/bin/denosmtpd .*,\1,p' "$unit" | head -n 1)
  [ -z "$runs" ] || [ "$runs" = "$prefix" ] ||
    fail "$unit runs $runs/bin/denosmtpd: say --prefix $runs"
}

uninstall_steps() {
  if [ "$service" = yes ] && exists "$unit"; then
    if has_systemd; then
      ! doing || systemctl disable --now denosmtpd
      tell stop 'the service'
    fi
    ! doing || rm -f "$unit"
    tell remove "$unit"
    ! doing || ! has_systemd || systemctl daemon-reload
  fi
  # The kernel goes on by it until the next boot: what else listens may count on it by now.
  if [ "$service" = yes ] && exists "$setting"; then
    ! doing || rm -f "$setting"
    tell remove "$setting"
  fi
  if exists "$exe"; then
    ! doing || rm -f "$exe"
    tell remove "$exe"
  else
    printf '%-13s %s\n' 'not there' "$exe"
  fi
}

# --- what is said at the end ----------------------------------------------------------------------

next_steps() {
  if [ "$executable $configuration $service_unit" = "keep keep keep" ]; then
    printf '\nEverything is up to date.\n'
  elif [ "$configure" = no ]; then
    printf '\nThat is all without root: no configuration, user or service was made.\n'
  elif [ -n "$root" ]; then
    package_steps
  elif [ "$configuration" = make ]; then
    first_steps
  elif [ "$start" = yes ]; then
    printf '\nThe service runs this version now.\n'
  elif has_systemd; then
    printf '\nA restart takes the new version:\n\n    systemctl restart denosmtpd\n'
  else
    printf '\nThe new version is taken when the daemon is started again.\n'
  fi
}

first_steps() {
  cat <<END

What is left to do:

  1. In $conf/mail.conf set HOSTNAME, the name by which other hosts find this one,
     and LOCAL_DOMAINS, what stands behind the @ of its users.
  2. Name the users in $conf/user.conf.
  3. In DNS, give that name an A (or AAAA) record and the mail domain an MX record with that name.
  4. Open TCP port 25 in both directions.
END
  if [ "$start" = yes ]; then
    echo '  5. The service runs already; let it know: systemctl restart denosmtpd'
    return 0
  fi
  as=''
  [ "$group" != denosmtpd ] || ! has runuser || as='runuser -u denosmtpd -- '
  echo "  5. Look whether all is right: $as$exe check $conf/mail.conf $conf/user.conf"
  if [ "$service" = yes ]; then
    echo '  6. Start it, now and at every boot: systemctl enable --now denosmtpd'
  elif [ "$group" = denosmtpd ]; then
    cat <<END
  6. Start it as the user denosmtpd with the right to listen on port 25:
     setpriv --reuid denosmtpd --regid denosmtpd --clear-groups --inh-caps +net_bind_service \\
       --ambient-caps +net_bind_service $exe \\
       $conf/mail.conf $conf/user.conf
END
  else
    echo "  6. Start it: $exe $conf/mail.conf $conf/user.conf"
  fi
  [ "$service" = no ] || has_systemd ||
    echo '     (systemd does not run here; README.md says how to do without it)'
}

package_steps() {
  cat <<END

The package must do on the machine it comes to:

  - make a system user and group denosmtpd
  - chown root:denosmtpd /etc/denosmtpd and the files in it
  - make /var/lib/denosmtpd and /var/lib/denosmtpd/mail, mode 0700, both of them denosmtpd's
END
}

what_stays() {
  [ "$configure" = yes ] || return 0
  [ ! -d "$conf" ] || stays "$conf, the configuration; to remove it: rm -r $conf"
  [ ! -d "$state" ] || stays "$state, mail and queue; to remove them: rm -r $state"
  [ "$group" != denosmtpd ] || ! has_user ||
    stays 'user and group denosmtpd; to remove them: userdel denosmtpd'
  echo 'What SPOOL_DIR and user.conf put elsewhere stays too.'
}

stays() {
  printf '%-13s %s\n' stays "$1"
}

# --- all of it ------------------------------------------------------------------------------------

check_consent() {
  [ "$yes $dry_run" = "no no" ] || return 0
  [ -t 0 ] || fail 'nobody can be asked, for standard input is no terminal: --yes is needed'
}

ask() {
  printf '\nShall it be done? [y/N] '
  read -r answer || answer=''
  case $answer in
  y | Y | yes | Yes) echo ;;
  *) fail 'nothing was changed' ;;
  esac
}

# The plan, a question and the work: the same steps twice, where somebody can be asked.
go() {
  if [ "$yes $dry_run" != 'yes no' ]; then
    planning=yes
    steps
    [ "$dry_run" = no ] || return 0
    ask
  fi
  planning=no
  steps
  ending
}

steps() {
  if [ "$uninstall" = yes ]; then uninstall_steps; else install_steps; fi
}

ending() {
  if [ "$uninstall" = yes ]; then what_stays; else next_steps; fi
}

clean_up() {
  [ -z "$work" ] || rm -rf "$work"
  [ -z "$staged" ] || rm -rf "$staged"
}

# Where the script lies; a name for nowhere where it was piped into a shell.
find_here() {
  here=/dev/null
  case $0 in
  install.sh | */install.sh) here=$(unset CDPATH && cd -- "$(dirname -- "$0")" && pwd) ;;
  esac
}

main() {
  umask 022
  export LC_ALL=C
  # Tools that only root needs are not in every PATH.
  PATH=$PATH:/usr/sbin:/sbin
  read_options "$@"
  need cat chmod chown cmp cp cut dirname find grep head id ls mkdir mktemp mv od rm sed \
    sync tail tr uname
  check_system
  settle_scope
  check_consent
  find_here
  work='' staged=''
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  work=$(mktemp -d "${TMPDIR:-/tmp}/denosmtpd.XXXXXX")
  if [ "$uninstall" = yes ]; then
    check_service_prefix
  else
    check_user_tools
    find_executable
    provide_others
  fi
  go
}

{
  main "$@"
}
