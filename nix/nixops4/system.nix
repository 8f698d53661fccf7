# The machine's NixOS: built where the node runs, copied and switched by nixops4-nixos. The node has put secrets on the
# machine before; of them NixOS knows paths only.
{ nixpkgs, nixops4, nixops4-nixos, machines, data }:
let
  key = data.ssh.publicKey or null;

  # Otherwise the node would lock itself out by its next switch, whatever its copy of `machines` says.
  letsNodeIn = machine: { config, lib, ... }:
    let
      inherit (config.services.openssh) enable settings;
      lets = (config.users.users.${machine.user} or { }).openssh.authorizedKeys or { };
      isNode = line: builtins.match ".*command=.*" line == null && (key == null || lib.hasInfix key line);
    in
    {
      fediversity.access.deployKeys = if key == null then [ ] else [ key ];
      assertions = [
        {
          assertion = machines ? ${machine.name};
          message = "the node's copy of `machines` has no ${machine.name}; put it there, and switch the node";
        }
        {
          assertion = enable && (builtins.any isNode (lets.keys or [ ]) || lets.keyFiles or [ ] != [ ])
            && (machine.user != "root" || builtins.elem settings.PermitRootLogin [ "prohibit-password" "without-password" "yes" ]);
          message = "the node's copy of `machines` would lock the node out as ${machine.user}; let it in by its key, and switch the node";
        }
      ];
    };
in
{
  providers.local = nixops4.modules.nixops4Provider.local;

  member = { providers, members, progress, behind }:
    let
      machine = members.machine.outputs;
      services = members.services.members;
      outputsOf = kind: name: builtins.mapAttrs (_: one: one.outputs) services.${name}.members.${kind}.members;
      # What has been made: `{ <service> = { secrets.<name> = { reference, path }; buckets.<name> = { bucket, endpoint, … }; }; }`.
      resources = builtins.mapAttrs (name: _: { secrets = outputsOf "secrets" name; buckets = outputsOf "buckets" name; })
        (if isAbsent then { } else data.services);
      # Nobody is led there any more before it is emptied.
      records = builtins.mapAttrs (name: _: outputsOf "records" name) data.services;
      isAbsent = data.mode == "absent";
    in
    {
      members = {
        begun = progress "system" null "begun"
          (behind "all of it" (builtins.deepSeq (if isAbsent then records else resources) machine.name));
        switch = {
          type = providers.local.exec;
          imports = [ nixops4-nixos.modules.nixops4Component.nixos ];
          inherit nixpkgs;
          ssh = {
            host = machine.address;
            inherit (machine) user;
            hostPublicKey = machine.hostKey;
            opts = "-o Port=${toString machine.port}"
              + (if data.ssh.identityFile == null then "" else " -o IdentityFile=${data.ssh.identityFile}");
          };
          nixos.specialArgs = { inherit resources; };
          nixos.module = {
            imports = [ ../machine.nix (letsNodeIn machine) ]
              ++ (if machines ? ${machine.name} then [ machines.${machine.name} ] else [ ])
              ++ (if machine.publicAddress == machine.address then [ ] else [ { fediversity = { inherit (machine) publicAddress; }; } ]);
            fediversity.deployment = builtins.seq members.system.members.begun.outputs.step {
              inherit (data) deployment domain mode;
              services = builtins.mapAttrs (_: service: { inherit (service) hosts origin owner; }) data.services;
            };
            fediversity.access.customerKeys = data.customerKeys;
          };
        };
        done = progress "system" null "done" (behind "switch" members.system.members.switch.outputs.stdout);
      };
    };
}
