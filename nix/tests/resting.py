# What holds for every service on a machine: it starts by itself, is well, rests through a restart, and comes back.
def settles(machine, service, unit, health):
    machine.wait_for_unit(unit, timeout=900)
    machine.wait_until_succeeds(health, timeout=300)
    machine.succeed(f"fediversity-agent describe | grep -F test/{service}")

    machine.succeed(f"fediversity-agent freeze test/{service}")
    machine.fail(f"systemctl is-active {unit}")
    machine.shutdown()
    machine.start()
    machine.wait_for_unit("multi-user.target")
    machine.fail(f"systemctl is-active {unit}")

    machine.succeed(f"fediversity-agent thaw test/{service}")
    machine.wait_for_unit(unit, timeout=900)
    machine.wait_until_succeeds(health, timeout=300)
