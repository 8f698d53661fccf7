# Test equipment for the tests in virtual machines: a machine with one deployment, whose secrets are there from the start, as the
# node would have put them, and whose certificate is its own, since no authority is reachable.
{
  machine,
  services,
  secrets,
  memory ? 2048,
}:
{ lib, pkgs, ... }:
let
  certificate = pkgs.runCommand "certificate" { nativeBuildInputs = [ pkgs.openssl ]; } ''
    mkdir $out
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=choir.example \
      -addext "subjectAltName=DNS:*.choir.example" -keyout $out/key.pem -out $out/cert.pem
  '';
  hosts = lib.concatLists (builtins.attrValues services);
  front = {
    enableACME = lib.mkForce false;
    sslCertificate = "${certificate}/cert.pem";
    sslCertificateKey = "${certificate}/key.pem";
  };
in
{
  imports = [ machine ];

  virtualisation = {
    memorySize = memory;
    diskSize = 8192;
    cores = 2;
  };
  networking.hosts."127.0.0.1" = hosts;
  security.pki.certificateFiles = [ "${certificate}/cert.pem" ];
  services.nginx.virtualHosts = lib.genAttrs (lib.subtractLists (services.pixelfed or [ ]) hosts) (_: front);
  services.pixelfed.nginx = lib.mkIf (services ? pixelfed) front;
  fediversity.certificates = {
    acceptTerms = true;
    email = "nobody@choir.example";
  };

  fediversity.deployment = {
    deployment = "test";
    domain = "choir.example";
    services = lib.mapAttrs (_: hosts: {
      inherit hosts;
      origin = "https://${builtins.head hosts}";
      owner = {
        username = "alice";
        email = "alice@choir.example";
      };
    }) services;
  };

  # Worthless values: a real machine gets its own from its node.
  systemd.services.test-secrets = {
    wantedBy = [ "multi-user.target" ];
    before = map (name: "fediversity-secrets-${name}.service") (builtins.attrNames services);
    requiredBy = map (name: "fediversity-secrets-${name}.service") (builtins.attrNames services);
    serviceConfig.Type = "oneshot";
    path = [ pkgs.openssl ];
    script = lib.concatStrings (
      lib.mapAttrsToList (
        service: names:
        lib.concatMapStrings (name: ''
          install -d -m 0700 /var/lib/fediversity/secrets/test/${service}
          [ -e /var/lib/fediversity/secrets/test/${service}/${name} ] ||
            (umask 0377; openssl rand -hex 32 | tr -d '\n' > /var/lib/fediversity/secrets/test/${service}/${name})
        '') names
      ) secrets
    );
  };
}
