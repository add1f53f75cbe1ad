export const words = {
  signInWith: (name: string) => `Sign in with ${name}`,
  accountTitle: 'With your company account',
  usernameLabel: 'Account name',
  passwordLabel: 'Password',
  signIn: 'Sign in',
  orAsGuest: 'Or as a guest:',
  accountMissing: 'Please enter the account name and the password.',
  passwordWrong: 'The name or the password is wrong.',
  signInDown: 'Signing in does not work right now. Please try again in a minute.',
  waitSeconds: (seconds: number) => `Too many wrong passwords. Please try again in ${seconds} s.`,
};
