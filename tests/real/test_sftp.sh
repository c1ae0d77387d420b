#!/bin/sh
# test_sftp.sh - 100 MB by sftp to sshd and back.
# Claims call functions by name.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

needs <<'END'
sshd openssh-server
sftp openssh-client
ssh-keygen openssh-client
setpriv util-linux
ps procps
END

sshd_conf()
{
	cat <<END
Port $port
ListenAddress 127.0.0.1
HostKey $scratch/host.key
PidFile none
AuthorizedKeysFile $scratch/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
LogLevel VERBOSE
Subsystem sftp internal-sftp
END
}

# sshd insists on being called by its path.
sshd_start()
{
	sshd_conf >sshd.conf
	start_server sshd.log "$(command -v sshd)" -D -e -f sshd.conf
}

keys_make()
{
	as_server ssh-keygen -q -t ed25519 -N '' -C host -f host.key &&
		ssh-keygen -q -t ed25519 -N '' -C user -f user.key &&
		cp user.key.pub authorized &&
		sed 's/^/weir.test /' host.key.pub >known
}

# Runs the commands of stdin in one sftp over way $1: direct, or by weir's port.
files()
{
	case $1 in
	direct) ssh_port=$port ;;
	*) ssh_port=$(weir_port "$1") ;;
	esac
	timeout 60 sftp -q -b - -P "$ssh_port" -F none -i user.key \
		-o HostKeyAlias=weir.test -o UserKnownHostsFile=known \
		-o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes \
		-o IdentitiesOnly=yes -o IdentityAgent=none \
		-o ConnectTimeout=20 "$someone@127.0.0.1"
}

# 100 MB from the server.
get()
{
	rm -f "got.$1"
	echo "get $scratch/there/big got.$1" | files "$1" &&
		same there/big "got.$1"
}

# 100 MB to the server.
put()
{
	rm -f there/put
	echo "put here $scratch/there/put" | files "$1" && same here there/put
}

# Both at once, in two connections.
both()
{
	put "$1" >put.out 2>&1 &
	putter=$!
	get "$1"
	got=$?
	wait "$putter"
	putted=$?
	cat put.out
	return $((got + putted))
}

# Many small requests, one waiting for the other; what they say.
errands()
{
	{
		echo "cd $scratch/there"
		for i in 1 2 3 4 5 6 7 8 9; do
			echo "mkdir dir.$i"
			echo "put user.key.pub dir.$i/key"
			echo "rename dir.$i/key dir.$i/other"
			echo "ls -n1 dir.$i"
			echo "rm dir.$i/other"
			echo "rmdir dir.$i"
		done
		echo 'ls -n1 big'
		echo '-get missing'
	} | files "$1" >"errands.$1" 2>&1
}

errands_like_direct()
{
	errands direct && errands "$1" && same errands.direct "errands.$1" &&
		has "errands.$1" 'dir.9/other' && has "errands.$1" 'not found'
}

# How many connections sshd got from host $1.
connections()
{
	grep -c "^Connection from $1 port" logs/sshd.log
}

mkdir there
chown "$someone" there
head -c 100000000 /dev/urandom >there/big
head -c 100000000 /dev/urandom >here

must 'keys are made' keys_make
must 'sshd starts' start_on_port sshd_start
must 'weir starts' weir_start "tcp=127.0.0.1:$port"
for way in direct tcp; do
	claim "$way: 100 MB from the server" get "$way"
	claim "$way: 100 MB to the server" put "$way"
	claim "$way: both at once" both "$way"
done
claim 'tcp: many small requests' errands_like_direct tcp
weir_stop
claim 'one access line for each connection' as_many \
	"$(weir_channels tcp)" "$(connections 127.0.0.2)"
claim 'every channel is done' \
	equal "$(grep ' reason=' logs/weir.log | grep -v reason=done)" ''
finish
