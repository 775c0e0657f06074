#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# A tenant whose newest documents are broken: 'tenet run' heals it to its last
# good commit, by packets, while other tenants follow the new one; over kill -9,
# further commits, a claim to what it holds, and until it is mended or removed.
PREFIX=${PREFIX:-tbroken}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2

tenant_new() { # tenant_new TENANT VPC NET PEER PEER_VPC
    mkdir -p "$repo/tenants/$1"
    cat >"$repo/tenants/$1/tenant.yml" <<YAML
apiVersion: tenet/v1
kind: Tenant
metadata: {name: $1}
spec: {}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: ping}
spec:
  rules: [{direction: ingress, protocol: icmp}]
YAML
    cat >"$repo/tenants/$1/$2.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: $2}
spec:
  cidrs: [10.$3.0.0/16]
  subnets:
    - {name: front, cidr: 10.$3.1.0/24}
---
apiVersion: tenet/v1
kind: Peering
metadata: {name: to-$4}
spec:
  vpc: $2
  peer: {tenant: $4, vpc: $5}
  export: [10.$3.1.0/24]
YAML
}
port() { # port TENANT VPC NAME HOST
    cat >>"$repo/tenants/$1/$2.yml" <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $3}
spec:
  vpc: $2
  subnet: front
  host: $4
  securityGroups: [ping]
  attach: {netns: $PREFIX-$3}
YAML
}
address() { ip -n "$PREFIX-$1" -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1; }
reaches() { pings "$PREFIX-$1" "$(address "$2")" 1; }
head_id() { git -C "$repo" rev-parse HEAD; }
short() { head_id | cut -c1-12; }
following() { ctl status | grep -q "Following $(short)"; }
says() { ctl status | grep -qE -- "$1"; }
settled() { following && [ "$(ctl status | grep -c ' unchanged ')" = 2 ]; }

tenant_new acme web 1 beta app
tenant_new beta app 2 acme web
port acme web a1 hv1
port acme web a2 hv2
port beta app b1 hv1
port beta app b2 hv2
commit "$repo" "All is well"
good=$(head_id)
configure "$repo"
start
ok "the first commit arrives" until_ok 40 at_commit hv1 hv2
ok "packets pass in acme" until_ok 10 reaches a1 a2
ok "and over the peering" until_ok 10 reaches a1 b2
web1=${PREFIX}1.tn.acme.web web2=${PREFIX}2.tn.acme.web
app1=${PREFIX}1.tn.beta.app

# Broken, together with a change of another tenant.
cp "$repo/tenants/acme/web.yml" "$work/web.yml"
port acme web a3 hv1 # Which is not to come before the file is mended.
echo "nonsense: [" >>"$repo/tenants/acme/web.yml"
port beta app b3 hv2
commit "$repo" "Break acme, extend beta"
broken=$(head_id)
ok "the commit is followed" until_ok 20 following
ok "beta's change is applied" until_ok 20 reaches b1 b3
ok "it is said of acme" says "Tenant acme: documents broken since commit ${broken:0:12}; healed to commit ${good:0:12}"
ok "and in the log" logged "tenant acme: documents broken since commit ${broken:0:12}; healed to"
ok "the devices are as intended" until_ok 20 settled
ok "also on the status ref" until_ok 20 at_commit hv1 hv2
ok "where acme is not" bash -c "git -C '$repo' show tenet/status:tenants/acme.yml | grep -q InvalidIntent"
ok "which stays at its good commit" bash -c "git -C '$repo' show tenet/status:tenants/acme.yml | grep -q 'commit: *\"*$good'"
not_ok "nothing new of it came" ip -n "$PREFIX-a3" link show eth0
ok "packets pass in acme as before" reaches a1 a2

# drift WHAT CHECK... -- COMMAND... : made, and healed by packets.
drift() {
    local what=$1 check=() from
    shift
    while [ "$1" != -- ]; do
        check+=("$1")
        shift
    done
    shift
    from=$(log_size)
    "$@" || { result no "$what (cannot be made)"; return; }
    ok "$what: packets pass again" until_ok 20 "${check[@]}"
    ok "$what: told as drift, and healed" until_ok 20 logged_since "$from" "acme/web: drift: .*healed"
    ok "$what: settled" until_ok 20 settled
}
drift "a link of acme deleted" reaches a1 a2 -- ip -n "$web1" link del x-front
drift "rules of acme flushed" reaches a1 a2 -- ip netns exec "$web2" nft flush ruleset
drift "its bridge down" reaches a2 a1 -- ip -n "$web2" link set b-front down
peer=$(ip -n "$web1" -o link show type veth | awk -F'[ :@]+' '$2 ~ /^l-/ {print $2; exit}')
drift "the peering with beta cut" reaches a1 b1 -- ip -n "$web1" link del "$peer"
ok "its VPC is said to be at the good commit" until_ok 20 bash -c "git -C '$repo' show tenet/status:vpcs/acme/web.yml | grep -q 'commit: *\"*$good'"
ok "beta's drift is healed, too" bash -c "ip -n $app1 link del x-front"
ok "by packets" until_ok 20 reaches b1 b2

# kill -9, drift meanwhile, start again at the same commit.
kill_daemon
ip -n "$web1" link del x-front
from=$(log_size)
start
ok "healed after kill -9" until_ok 40 reaches a1 a2
ok "to the same commit" until_ok 20 says "Tenant acme: documents broken since commit ${broken:0:12}; healed to commit ${good:0:12}"
ok "told as drift" until_ok 20 logged_since "$from" "acme/web: drift: .*healed"
ok "all settled" until_ok 20 settled

# Another commit while it is broken.
port beta app b4 hv1
commit "$repo" "Extend beta again"
ok "another commit is applied" until_ok 20 reaches b4 b3
ok "acme stays where it was" says "broken since commit ${broken:0:12}; healed to commit ${good:0:12}"
drift "a link deleted under that commit" reaches a1 a2 -- ip -n "$web2" link del x-front

# What acme holds is not to be had.
vni=$(ip -n "$web1" -d -o link show x-front | sed -n 's/.*vxlan id \([0-9]*\) .*/\1/p')
cp "$repo/tenants/beta/app.yml" "$work/app.yml"
sed -i "s|cidr: 10.2.1.0/24}|cidr: 10.2.1.0/24, vni: $vni}|" "$repo/tenants/beta/app.yml"
commit "$repo" "Beta claims the number of acme"
ok "a claim to what acme holds is refused" until_ok 20 says "Tenant beta: documents broken since commit $(short); healed"
ok "with a reason" until_ok 20 bash -c "git -C '$repo' show tenet/status:tenants/beta.yml | grep -q \"in use by tenant 'acme'\""
ok "acme has it" bash -c "ip -n $web1 -d -o link show x-front | grep -q 'vxlan id $vni '"
not_ok "beta has not" bash -c "ip -n $app1 -d -o link show x-front | grep -q 'vxlan id $vni '"
ok "packets pass in both" bash -c "$(declare -f reaches pings from address); PREFIX=$PREFIX; reaches a1 a2 && reaches b1 b4"
cp "$work/app.yml" "$repo/tenants/beta/app.yml"
commit "$repo" "Beta takes it back"
ok "beta is good again" until_ok 20 logged "tenant beta: documents are good again"
ok "and said so" until_ok 20 settled

# A start at which nothing is known: held, as it is.
stop_daemon
rm "$TENET_STATE_DIR/daemon/accepted"
start
ok "without a good commit it is held" until_ok 40 says "Tenant acme: documents broken since commit $(short); held: no good commit is known"
ok "as the devices say" until_ok 20 says "left as it is: its documents have errors"
ip -n "$web1" link del x-front
sleep 3
not_ok "drift stays" ip -n "$web1" link show x-front

# Mended: all of it is applied.
cp "$work/web.yml" "$repo/tenants/acme/web.yml"
port acme web a3 hv1
commit "$repo" "Mend acme"
ok "mended, it follows" until_ok 30 reaches a3 a2
ok "what was held is healed" until_ok 20 reaches a1 a2
ok "and over the peering" until_ok 20 reaches a1 b2
ok "on the status ref" until_ok 20 at_commit hv1 hv2
not_ok "nothing is said of it any more" says "Tenant "
ok "a plan is empty" until_ok 10 empty_plan

# Broken once more, and gone back from: the commit before is whole, and stands
# in when the branch goes on.
ok "all is well" until_ok 10 bash -c "grep -q '$(head_id)' $TENET_STATE_DIR/*/quarantine.yml"
mended=$(short)
echo "nonsense: [" >>"$repo/tenants/acme/web.yml"
commit "$repo" "Break it again"
ok "broken again" until_ok 20 says "Tenant acme: .*healed to commit $mended"
ok "it is rolled back" "$TENET" rollback -C "$repo" --yes --reason "test"
ok "the daemon does not follow it" until_ok 20 says "is not followed.*quarantined"
ok "but the one before" until_ok 20 says "Following $mended"
not_ok "which is whole" says "Tenant acme"
port beta app b5 hv2
commit "$repo" "Go on, still broken"
ok "the next one is followed" until_ok 20 reaches b1 b5
ok "with what was gone back to" says "Tenant acme: documents broken since commit $(short); healed to commit $mended"
drift "a link deleted under that one" reaches a1 a2 -- ip -n "$web1" link del x-front

# What a force-push drops stands in for nothing.
git -C "$repo" reset -q --hard HEAD~3
echo "nonsense: [" >>"$repo/tenants/acme/web.yml"
port beta app b6 hv2
commit "$repo" "Rewritten, and broken"
ok "a rewritten branch is refused" until_ok 20 says "no longer contains"
ok "until it is acknowledged" until_ok 20 ctl acknowledge "$(head_id)"
ok "then acme is held" until_ok 20 says "Tenant acme: documents broken since commit $(short); held: no good commit is known"
ok "and its packets pass" reaches a1 a2

# Removed: that is no broken document.
rm -r "$repo/tenants/acme"
commit "$repo" "Acme leaves"
ok "its folder goes, and so does it" until_ok 20 bash -c "! ip netns list | grep -q '$web1'"
ok "which is said" until_ok 10 logged "tenant acme: it is gone"
not_ok "nothing is left to say" says "Tenant "
ok "beta is there" reaches b1 b2
stop_daemon
no_sanitizer
[ "$failures" = 0 ] || grep -v debug "$work/daemon.log" | tail -n 60 | sed 's/^/# /'
finish
