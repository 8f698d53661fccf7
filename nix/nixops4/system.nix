# The machine's NixOS: built where the node runs, copied and switched by nixops4-nixos. The node has put secrets on the
# machine before; of them NixOS knows paths only.
{ nixpkgs, nixops4, nixops4-nixos, machines, data }:
let
  # Otherwise the node would lock itself out by its first switch.
  letsSomebodyIn = { config, ... }: {
    assertions = [{
      assertion = config.fediversity.access.deployKeys != [ ];
      message = "fediversity.access.deployKeys: the node's copy of `machines` has no key; put the node's there, and switch the node";
    }];
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
            imports = [ ../machine.nix letsSomebodyIn ]
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
