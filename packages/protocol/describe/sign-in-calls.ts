/** Descriptions of the calls that need no token. */
import { httpSchemas } from '../src/schemas.ts';
import type { Call } from './http-call.ts';
import { jsonSchemaOf } from './json-schema.ts';

export const SIGN_IN_CALLS = {
  readAuthConfig: {
    method: 'get',
    path: '/auth/config',
    summary: 'Which ways to sign in the cluster has',
    success: { 200: 'Those that the operator switched on' },
    errors: [],
    isPublic: true,
  },
  createGuest: {
    method: 'post',
    path: '/guests',
    summary: 'A token for a guest, where guests are switched on',
    body: jsonSchemaOf(httpSchemas.guest),
    success: { 201: 'A token, and whom it names' },
    errors: ['not_found', 'too_large'],
    isPublic: true,
  },
  signIn: {
    method: 'post',
    path: '/sign-in',
    summary: 'A short token for an account of the directory, where one is configured',
    description:
      'unauthenticated is the same answer, at the same time, for an unknown name and a wrong password; forbidden means that the account may not sign in here.',
    body: jsonSchemaOf(httpSchemas.signIn),
    success: { 200: 'A token, whom it names, and when it expires in milliseconds since 1970' },
    errors: ['unauthenticated', 'not_found', 'too_large'],
    isPublic: true,
  },
  renewSignIn: {
    method: 'post',
    path: '/sign-in/renew',
    summary: 'A new token for the caller of a token of signIn, if the account may still sign in',
    success: { 200: 'As signIn' },
    errors: ['not_found'],
  },
  readMe: {
    method: 'get',
    path: '/me',
    summary: 'Whom the token names, and when it expires',
    success: { 200: 'The user of the token' },
    errors: [],
  },
  signOut: {
    method: 'post',
    path: '/sign-out',
    summary: 'Ends every connection of the caller, and all tokens issued to it so far, on all devices',
    description: 'forbidden for guests. A token that is issued from the next second on is valid.',
    success: { 200: 'They are dead' },
    errors: [],
  },
} satisfies Record<string, Call>;
