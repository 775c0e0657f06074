#!/usr/bin/env bash
# machine.sh DIR: boots systemd as a machine of its own, over this one's files.
#
# To be run as 'unshare -m -p -f -u -i -n -C --kill-child machine.sh DIR' from
# within a control group of its own. DIR is a new directory; DIR/root becomes the
# machine's view: this machine's files, with all that is written kept in memory,
# no network, an empty /tmp, and no service but those that are started in it.
set -eu
dir=$1 root=$1/root
mount --make-rprivate /
mkdir -p "$dir/over" "$root"
mount -t tmpfs -o mode=755 machine "$dir/over"
mkdir "$dir/over/upper" "$dir/over/work"
mount -t overlay -o "lowerdir=/,upperdir=$dir/over/upper,workdir=$dir/over/work" \
    machine "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=755 dev "$root/dev"
for d in null zero full random urandom; do
    touch "$root/dev/$d"
    mount --bind "/dev/$d" "$root/dev/$d"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir -p "$root/etc/systemd/system" "$root/tmp/shared"
mount --bind "$dir/shared" "$root/tmp/shared"
rm -rf "$root/etc/machine-id" "$root/usr/sbin/policy-rc.d" \
    "$root/etc/tenet" "$root/var/lib/tenet" "$root/var/cache/tenet"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
cat >"$root/etc/systemd/system/machine.target" <<UNIT
[Unit]
DefaultDependencies=no
Requires=systemd-journald.service
UNIT
# Not chroot(8): systemd binds its root for units with namespaces of their own.
cd "$root"
mkdir -p tmp/former
pivot_root . tmp/former
exec env -i container=machine PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c '
    umount -l /tmp/former && rmdir /tmp/former &&
    exec /lib/systemd/systemd --unit=machine.target --log-target=journal --show-status=0'
