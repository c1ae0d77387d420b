/* net.c - a network of a test's own. */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/net.h"

#define HEADERS 40 /* of IPv4 and TCP */

__attribute__((format(printf, 2, 3))) static void
file_write(const char *path, const char *fmt, ...)
{
	FILE *f = fopen(path, "w");
	va_list ap;

	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
}

/* Asks for something of loopback (netdevice(7)). */
static void
loopback_set(int what, struct ifreq *lo)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(lo->ifr_name, sizeof(lo->ifr_name), "lo");
	assert_int_equal(ioctl(fd, (unsigned long)what, lo), 0);
	close(fd);
}

void
net_make(void)
{
	struct ifreq lo = { .ifr_flags = IFF_UP | IFF_RUNNING };
	unsigned uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWNET) == -1) {
		assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
		file_write("/proc/self/uid_map", "%u %u 1", uid, uid);
		file_write("/proc/self/setgroups", "deny");
		file_write("/proc/self/gid_map", "%u %u 1", gid, gid);
	}
	loopback_set(SIOCSIFFLAGS, &lo);
}

void
net_ports(unsigned first, unsigned last)
{
	file_write(
		"/proc/sys/net/ipv4/ip_local_port_range", "%u %u", first, last);
}

void
net_fastopen(void)
{
	file_write("/proc/sys/net/ipv4/tcp_fastopen", "3");
}

void
net_keepalive(unsigned idle_s, unsigned interval_s)
{
	file_write("/proc/sys/net/ipv4/tcp_keepalive_time", "%u", idle_s);
	file_write("/proc/sys/net/ipv4/tcp_keepalive_intvl", "%u", interval_s);
}

void
net_segments(unsigned bytes)
{
	static const uint32_t whole[] = { ETHTOOL_STSO, ETHTOOL_SGSO };
	struct ifreq lo = { .ifr_mtu = (int)bytes + HEADERS };
	struct ethtool_value off;
	unsigned i;

	loopback_set(SIOCSIFMTU, &lo);
	/* Else it takes over what is not cut into segments yet. */
	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		off = (struct ethtool_value){ .cmd = whole[i] };
		lo.ifr_data = (char *)&off;
		loopback_set(SIOCETHTOOL, &lo);
	}
}
