# Run by `rails runner`: makes the first account, or gives it the password anew. See owners.nix for when.
require "json"

owner = JSON.parse(File.read(ENV.fetch("OWNER")))
password = File.read(File.join(ENV.fetch("CREDENTIALS_DIRECTORY"), "password")).chomp
account = Account.find_local(owner["username"])

if account.nil?
  user = User.new(
    email: owner["email"],
    password: password,
    agreement: true,
    # Somebody else vouches for it, as with LDAP: otherwise Mastodon takes no `approved` for as long as registrations are closed, and
    # wants a name server to know the address' domain.
    external: true,
    role_id: UserRole.find_by!(name: "Owner").id,
    confirmed_at: Time.now.utc,
    bypass_registration_checks: true
  )
  user.account = Account.new(username: owner["username"])
  user.save!
elsif ENV["KNOWN"] == "changed"
  account.user.update!(password: password)
end
