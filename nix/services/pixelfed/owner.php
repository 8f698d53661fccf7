<?php

// Run by `artisan tinker`: makes the first account, or gives it the password anew. See owners.nix for when.
$owner = json_decode(file_get_contents(getenv('OWNER')));
$password = rtrim(file_get_contents(getenv('CREDENTIALS_DIRECTORY') . '/password'), "\n");
$user = App\User::where('username', $owner->username)->first();

if (! $user) {
    $user = new App\User;
    $user->username = $owner->username;
    $user->name = $owner->username;
    $user->email = $owner->email;
    $user->password = bcrypt($password);
    $user->is_admin = true;
    $user->email_verified_at = now();
    $user->save();
} elseif (getenv('KNOWN') === 'changed') {
    $user->password = bcrypt($password);
    $user->save();
}
