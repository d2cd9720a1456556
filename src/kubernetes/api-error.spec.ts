import { describe, expect, it } from '@jest/globals';
import { errorOfStatus, errorWithoutAnswer, isApiError } from './api-error.js';

describe('the error of an answer', () => {
  it.each([
    [404, 'NotFound', 'NotFound'],
    [409, 'AlreadyExists', 'AlreadyExists'],
    [409, 'Conflict', 'Conflict'],
    [410, 'Expired', 'Gone'],
    [410, 'Gone', 'Gone'],
    [422, 'Invalid', 'Invalid'],
    [400, 'BadRequest', 'BadRequest'],
    [403, 'Forbidden', 'Forbidden'],
    [401, 'Unauthorized', 'Unauthorized'],
    [429, 'TooManyRequests', 'TooManyRequests'],
    [504, 'Timeout', 'Timeout'],
    [500, 'ServerTimeout', 'Timeout'],
    [500, 'InternalError', 'ServerError'],
    [503, 'ServiceUnavailable', 'ServerError'],
    [410, undefined, 'Gone'],
    [502, undefined, 'ServerError'],
    [418, undefined, 'BadRequest'],
  ])('with status %d and reason %s is of kind %s', (code, reason, kind) => {
    expect(errorOfStatus(code, { kind: 'Status', reason, code })).toMatchObject({ kind, code });
  });

  it('keeps causes and what the server said about coming back', () => {
    const details = {
      causes: [{ reason: 'FieldValueInvalid', message: 'no', field: 'spec.port' }, 'nonsense'],
      retryAfterSeconds: 7,
    };
    const error = errorOfStatus(422, { reason: 'Invalid', message: 'bad', details });
    expect(error.causes).toEqual([
      { reason: 'FieldValueInvalid', message: 'no', field: 'spec.port' },
    ]);
    expect(error.retryAfterSeconds).toBe(7);
    expect(errorOfStatus(429, { details }, '3').retryAfterSeconds).toBe(3);
    expect(
      errorOfStatus(429, {}, 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfterSeconds,
    ).toBeUndefined();
  });

  it('does not depend on the body being a Status, nor repeats a long one', () => {
    expect(errorOfStatus(500, '<html>')).toMatchObject({
      kind: 'ServerError',
      message: 'HTTP status 500',
    });
    expect(errorOfStatus(422, { message: 'x'.repeat(5_000) }).message).toHaveLength(1_024);
  });
});

describe('isApiError', () => {
  it('tells kinds apart, and our errors from others', () => {
    const error = errorWithoutAnswer('Network', 'reset', new Error('ECONNRESET'));
    expect(isApiError(error)).toBe(true);
    expect(isApiError(error, 'Timeout', 'Network')).toBe(true);
    expect(isApiError(error, 'Timeout')).toBe(false);
    expect(isApiError(new Error('reset'))).toBe(false);
  });
});
