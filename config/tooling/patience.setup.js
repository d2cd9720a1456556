// Jest takes a timeout per project from nowhere but a setup file. Real programs answer in seconds even when
// the machine is busy, so a test that hangs ends after two minutes; a test that needs longer says so itself.
import { jest } from '@jest/globals';

jest.setTimeout(120_000);
