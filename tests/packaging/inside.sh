#!/bin/sh
# Runs inside a fresh Debian that systemd has booted (see debian.sh): installs the package
# and uses it as its documents say, up to its purge.
#
#   inside.sh PACKAGE.deb NEWER.deb
set -u
deb=$1
newer=$2
etc=/etc/persona-gateway
data=/var/lib/persona-gateway
unit=persona-gateway.service
api=https://gateway.example.com:3443/api/projects/shop-bot/personas
resolve="--resolve gateway.example.com:3443:127.0.0.1"
passed=0
failed=0

# Runs a check and counts it.
check() {
	what=$1
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok      $what"
	else
		failed=$((failed + 1))
		echo "FAILED  $what: $out"
		systemctl status --no-pager -n 20 "$unit" 2>&1 | sed 's/^/        /'
	fi
}

is() {
	[ "$1" = "$2" ] || {
		echo "\"$1\" is not \"$2\""
		return 1
	}
}

not() {
	! "$@"
}

# A command until it is true, for at most 20 seconds.
soon() {
	n=0
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt 200 ] || return 1
		sleep 0.1
	done
}

state() {
	is "$(systemctl is-active "$unit")" "$1"
}

show() {
	systemctl show -P "$1" "$unit"
}

# The status of a request with the client's token, or with other options of curl.
status() {
	# shellcheck disable=SC2086
	curl -s -m 20 -o /dev/null -w '%{http_code}' --cacert $etc/fullchain.pem $resolve \
		-H "Authorization: Bearer $token" "$@"
}

answers() {
	expected=$1
	shift
	is "$(status "$@")" "$expected"
}

process() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$(show MainPID)/status"
}

names() {
	# shellcheck disable=SC2086
	curl -s -m 20 --cacert $etc/fullchain.pem $resolve -H "Authorization: Bearer $token" "$api" |
		grep -q "\"name\":\"$1\""
}

# ---- installed, but not configured ----

check "the package installs" env DEBIAN_FRONTEND=noninteractive dpkg -i "$deb"
check "it has made its user" getent passwd persona-gateway
check "its service is not enabled" is "$(systemctl is-enabled $unit)" disabled
check "and not started" state inactive
check "nothing has failed" is "$(systemctl --failed --no-legend)" ""
check "the configuration is a conffile" grep -q "$etc/persona-gateway.yaml" \
	/var/lib/dpkg/info/persona-gateway.conffiles
check "systemd understands the units" systemd-analyze verify --man=no $unit persona-gateway.socket
check "and finds it hardly exposed" systemd-analyze security --threshold=20 --no-pager $unit
check "completion is where bash looks" test -f /usr/share/bash-completion/completions/persona-gateway
systemctl start $unit 2>/dev/null
check "without a key it does not start, and says so" sh -c \
	"journalctl -u $unit --no-pager | grep -q 'api_key_file'"
mkdir -p /run/systemd/system/$unit.d
printf '[Service]\nRestartSec=100ms\n' >/run/systemd/system/$unit.d/often.conf
systemctl daemon-reload
check "it is tried again and again" soon sh -c "[ \"\$(systemctl show -P NRestarts $unit)\" -ge 12 ]"
echo late | install -m 600 -o persona-gateway /dev/stdin $etc/bluejay.key
check "until what it needs is there" soon state active
systemctl stop $unit
rm -r /run/systemd/system/$unit.d $etc/bluejay.key ${data:?}/*
systemctl daemon-reload

# ---- configured, as operations.md says in "Deployment" ----

systemd-run -q --unit=bluejay persona-gateway sandbox --listen 127.0.0.1:4010
soon curl -s -o /dev/null http://127.0.0.1:4010/v1/ping
cd $etc || exit 1
echo sandbox | install -m 600 -o persona-gateway /dev/stdin bluejay.key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=gateway \
	-addext subjectAltName=DNS:gateway.example.com -keyout /root/privkey.pem -out /root/fullchain.pem 2>/dev/null
install -m 644 /root/fullchain.pem fullchain.pem
install -m 600 -o persona-gateway /root/privkey.pem privkey.pem
made=$(persona-gateway token ci --projects shop-bot 2>/dev/null)
token=$(echo "$made" | head -n 1)
line=$(echo "$made" | sed -n 2p)
# The file is the one that the document shows, with the simulated Bluejay.
awk '/^## / { on = $0 == "## Deployment" } on && /^```/ { yaml = $0 == "```yaml"; next } on && yaml' \
	/usr/share/doc/persona-gateway/operations.md |
	sed -e "s|^  - {name: ci.*|  $line|" -e 's|^bluejay:|&\n  url: http://127.0.0.1:4010|' >persona-gateway.yaml
check "check finds no mistake" is \
	"$(runuser -u persona-gateway -- persona-gateway check --config $etc/persona-gateway.yaml 2>&1)" ok
check "check --live finds its key accepted" persona-gateway check --live --config $etc/persona-gateway.yaml
check "it starts" systemctl enable --now $unit
check "it is active, which it has told itself" state active
check "a create with the token is 201" answers 201 "$api" -H 'Content-Type: application/json' \
	-d '{"name": "Ann"}'
# shellcheck disable=SC2086
check "a request without it is 401" is \
	"$(curl -s -o /dev/null -w '%{http_code}' --cacert $etc/fullchain.pem $resolve "$api")" 401
check "the persona is listed" names Ann
check "it is alive and ready" curl -sf http://127.0.0.1:3001/readyz
check "it tells of its process" sh -c \
	"curl -s http://127.0.0.1:3001/metrics | grep -q '^process_start_time_seconds [1-9]'"

# ---- what it may not do ----

check "it is nobody special" is "$(ps_user=$(stat -c %U "/proc/$(show MainPID)") && echo "$ps_user")" \
	persona-gateway
check "it has no capabilities" is "$(process CapEff)" 0000000000000000
check "it can get none" is "$(process NoNewPrivs)" 1
check "its system calls are filtered" is "$(process Seccomp)" 2
check "it leaves no core" is "$(awk '/^Max core file size/ { print $5 $6 }' \
	"/proc/$(show MainPID)/limits")" 00
check "its descriptors are enough" test "$(awk '/^Max open files/ { print $5 }' \
	"/proc/$(show MainPID)/limits")" -gt 10000
check "its folder is its own" is "$(stat -L -c '%U %a' $data)" "persona-gateway 700"
check "the system is read-only to it" not nsenter -t "$(show MainPID)" -m touch /etc/x /usr/x
check "homes are hidden from it" is "$(nsenter -t "$(show MainPID)" -m ls /home /root 2>/dev/null |
	grep -v :)" ""

# With the unit's restrictions a system call, by its number on x86-64, is refused; without
# them it is not.
confined() {
	sed -e 's/^Type=.*/Type=oneshot/' -e '/^WatchdogSec=/d' -e '/^NotifyAccess=/d' -e '/^Restart/d' \
		-e "s|^ExecStart=.*|ExecStart=/usr/bin/perl -e \"exit(syscall($1) == -1 ? 0 : 1)\"|" \
		/lib/systemd/system/$unit >/run/systemd/system/confined.service
	systemctl daemon-reload
	systemctl start confined.service
	refused=$?
	systemctl reset-failed confined.service 2>/dev/null
	return $refused
}

free() {
	systemd-run --wait -q --pipe perl -e "exit(syscall($1) == -1 ? 1 : 0)"
}

if [ "$(uname -m)" = x86_64 ]; then
	for call in "memory that can be written and run:9, 0, 4096, 7, 0x22, -1, 0" \
		"a socket below IP:41, 17, 3, 0" "a namespace of its own:272, 0x20000" \
		"another user:105, 0"; do
		check "${call%%:*} is refused" confined "${call#*:}"
		check "  and was not without the unit" free "${call#*:}"
	done
	check "the memory of others is refused" confined "101, 16, 1, 0, 0"
	check "its own number of descriptors is not" not confined "302, 0, 7, 0, 0"
fi

# ---- reload, watchdog ----

pid=$(show MainPID)
sed -i -e 's/^projects:/&\n  more: {agent_id: 7}/' -e 's/projects: .shop-bot./projects: [shop-bot, more]/' \
	$etc/persona-gateway.yaml
check "it reloads" systemctl reload $unit
check "the new project is served" soon answers 200 "${api%shop-bot*}more/personas"
echo 'nonsense: 1' >>$etc/persona-gateway.yaml
systemctl reload $unit
check "a mistake is told at the reload" soon sh -c \
	"journalctl -u $unit --no-pager | grep -q 'unknown key..*nonsense'"
check "and changes nothing" answers 200 "$api"
sed -i '/^nonsense/d' $etc/persona-gateway.yaml
check "all by the same process" is "$(show MainPID)" "$pid"
mkdir -p /run/systemd/system/$unit.d
printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/$unit.d/watchdog.conf
systemctl daemon-reload
systemctl restart $unit
pid=$(show MainPID)
kill -STOP "$pid"
check "one that stands still is started again" soon sh -c \
	"[ \"\$(systemctl show -P NRestarts $unit)\" -ge 1 ] && systemctl is-active -q $unit"
check "with what it knew" soon names Ann
rm -r /run/systemd/system/$unit.d
systemctl daemon-reload
systemctl restart $unit

# ---- a socket of systemd's ----

systemctl stop $unit
mkdir -p /etc/systemd/system/persona-gateway.socket.d
printf '[Socket]\nListenStream=\nListenStream=0.0.0.0:3443\n' \
	>/etc/systemd/system/persona-gateway.socket.d/address.conf
systemctl daemon-reload
check "the socket unit starts" systemctl enable --now persona-gateway.socket
check "a client starts the gateway" answers 200 "$api"
check "which runs now" state active
: >/tmp/statuses
(while [ ! -e /tmp/enough ]; do status "$api" >>/tmp/statuses && echo >>/tmp/statuses; done) &
for n in 20 40 60; do
	systemctl restart $unit
	soon sh -c "[ \$(wc -l </tmp/statuses) -ge $n ]"
done
touch /tmp/enough
wait $!
check "restarts refuse nobody" is "$(sort -u /tmp/statuses)" 200
check "who came meanwhile were more than a few" test "$(wc -l </tmp/statuses)" -ge 60

# ---- a key that only root may read ----

chown root $etc/bluejay.key
mkdir -p /etc/systemd/system/$unit.d
printf '[Service]\nLoadCredential=bluejay.key:%s\n' $etc/bluejay.key >/etc/systemd/system/$unit.d/key.conf
# shellcheck disable=SC2016
sed -i 's|api_key_file: .*|api_key_file: ${CREDENTIALS_DIRECTORY}/bluejay.key|' $etc/persona-gateway.yaml
systemctl daemon-reload
check "systemd hands the key over" systemctl restart $unit
check "it is used" answers 200 -H 'Cache-Control: no-cache' "$api"
rm -r /etc/systemd/system/$unit.d
sed -i 's|api_key_file: .*|api_key_file: bluejay.key|' $etc/persona-gateway.yaml
chown persona-gateway $etc/bluejay.key
systemctl daemon-reload
systemctl restart $unit

# ---- upgrade, removal, purge ----

before=$(sha256sum $etc/persona-gateway.yaml)
pid=$(show MainPID)
check "a newer version installs" env DEBIAN_FRONTEND=noninteractive dpkg -i "$newer"
check "the configuration is kept" is "$(sha256sum $etc/persona-gateway.yaml)" "$before"
check "the service runs" state active
check "anew" not is "$(show MainPID)" "$pid"
check "with what it knew before" soon names Ann
check "it is still enabled" is "$(systemctl is-enabled $unit)" enabled
check "removal works" env DEBIAN_FRONTEND=noninteractive dpkg -r persona-gateway
check "nothing runs any more" not pgrep -x -u persona-gateway persona-gateway
check "the socket is closed" not status "$api"
check "the configuration is kept" is "$(sha256sum $etc/persona-gateway.yaml)" "$before"
check "the records are kept" test -n "$(ls $data)"
check "it can come back" env DEBIAN_FRONTEND=noninteractive dpkg -i "$newer"
systemctl start $unit
check "with what it knew" soon names Ann
check "a purge works" env DEBIAN_FRONTEND=noninteractive dpkg -P persona-gateway
check "and leaves nothing of the configuration but what was put beside it" is "$(cd / && ls $etc)" \
	"fullchain.pem
privkey.pem"
check "and no records" not test -e $data
check "nothing has failed" is "$(systemctl --failed --no-legend)" ""
check "no token was logged" not sh -c "journalctl --no-pager | grep -q '$token'"
echo "$passed passed, $failed failed"
