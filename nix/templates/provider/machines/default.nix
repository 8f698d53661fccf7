# What is the same whatever runs on a machine: its disks, its network, who may get in. By the names in the pool.
{
  m1 = {
    imports = [
      ./common.nix
      ./m1-hardware.nix # as nixos-generate-config wrote it there
    ];
    networking.hostName = "m1";
  };
}
