# The members of one deployment and their order. NixOps4 applies everything at once except what needs another member's
# output; `behind` makes a member wait for another without taking anything from it.
{ lib, data, system }:
{ providers, members, ... }:
let
  inherit (builtins) mapAttrs seq;
  inherit (data) mode generation;
  node = providers.node;
  state = members.state;

  serves = mode == "serving";
  ensure = if mode == "absent" then "absent" else "present";
  # The machine goes back in a run of its own, after one in mode "absent" has taken everything from it.
  keepsMachine = data.machine.ensure == "present";
  optionals = condition: set: if condition then set else { };

  machine = members.machine.outputs;
  # What a service has; in "absent" it is taken away when the machine has been emptied, before that it is made first.
  behind = name: outputs: [ (seq outputs name) ];
  system-done = behind "system" members.system.members.done.outputs.step;
  afterSystem = if system == null then behind "machine" machine.name else system-done;
  afterMachine = if mode == "absent" then afterSystem else behind "machine" machine.name;

  progress = step: service: event: after: {
    type = node.progress;
    inputs = { inherit step service event after; };
  };

  secret = service: name: {
    type = node.secret;
    inherit state;
    inputs = { inherit service name ensure generation; machine = machine.name; after = afterMachine; };
  };

  bucket = service: name: { public }: {
    type = node.bucket;
    inherit state;
    inputs = { inherit service name public ensure generation; machine = machine.name; after = afterMachine; };
  };

  record = { name, type, ttl, values }: {
    type = node.dns_record;
    inherit state;
    inputs = {
      inherit name type ttl ensure generation;
      values = if values == null then [ machine.publicAddress ] else values;
      after = if mode == "absent" then behind "machine" machine.name else afterSystem;
    };
  };

  service = name: { secrets, buckets, records, probe, ... }:
    let
      own = members.services.members.${name}.members;
      made = map (one: own.secrets.members.${one}.outputs.path) secrets
        ++ lib.attrValues (mapAttrs (one: _: own.buckets.members.${one}.outputs.path) buckets);
      published = lib.attrValues (mapAttrs (one: _: own.records.members.${one}.outputs.name) records);
      waitsFor = made ++ published ++ (if serves && probe != null then [ "${toString own.probe.outputs.status}" ] else [ ]);
    in
    {
      members = {
        begun = progress name name "begun" (behind "machine" machine.name);
        secrets.members = lib.genAttrs secrets (secret name);
        buckets.members = mapAttrs (bucket name) buckets;
        records.members = mapAttrs (_: record) records;
        done = progress name name "done" (afterSystem ++ behind "all of it" (builtins.deepSeq waitsFor true));
      } // optionals (serves && probe != null) {
        probe = {
          type = node.probe;
          inputs = { service = name; inherit (probe) url below seconds; after = afterSystem ++ published; };
        };
      };
    };
in
{
  providers = {
    node = import ./provider.nix { inherit lib; inherit (data.provider) executable args; };
  } // optionals (system != null) system.providers;

  members = {
    state = { type = node.state; inputs = { inherit (data) deployment; }; };
    machine = {
      type = node.machine;
      inherit state;
      inputs = { inherit (data.machine) memoryMiB diskMiB system ensure; inherit generation; };
    };
  } // optionals keepsMachine {
    services.members = mapAttrs service data.services;
  } // optionals (keepsMachine && system != null) {
    system = system.member { inherit providers members progress behind; };
  };
}
