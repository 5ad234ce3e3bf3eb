// A session as programs hold it that are built on dockerode: create, attach, exec, logs, stats, events, wait, remove.
'use strict';
const assert = require('node:assert/strict');
const { PassThrough } = require('node:stream');
const { test, before } = require('node:test');
const Docker = require('dockerode');

const docker = new Docker({ socketPath: process.env.WORK + '/s' });

// What a stream says until it ends, or until `enough` is in it.
function collect(stream, enough) {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
      if (enough && text.includes(enough)) resolve(text);
    });
    stream.on('end', () => resolve(text));
    stream.on('error', reject);
  });
}

function demuxed(stream) {
  const out = new PassThrough(), err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => { out.end(); err.end(); });
  return Promise.all([collect(out), collect(err)]);
}

before(async () => {
  const pull = await docker.pull('busybox:latest');
  const steps = await new Promise((resolve, reject) => docker.modem.followProgress(pull, (error, all) => (error ? reject(error) : resolve(all))));
  assert.ok(steps.length > 0);
});

test('run tells output and status', async () => {
  const out = new PassThrough(), err = new PassThrough();
  const said = Promise.all([collect(out, 'out\n'), collect(err, 'err\n')]);
  const [status, container] = await docker.run('busybox', ['sh', '-c', 'echo out; echo err >&2; exit 4'], [out, err], { Tty: false });
  assert.equal(status.StatusCode, 4);
  assert.deepEqual(await said, ['out\n', 'err\n']);
  assert.equal((await container.inspect()).State.ExitCode, 4);
  await container.remove();
});

test('attach carries input and output, half-closed', async () => {
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true });
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const said = demuxed(stream);
  await container.start();
  stream.write('one\n');
  stream.end('two\n');
  assert.deepEqual(await said, ['one\ntwo\n', '']);
  assert.equal((await container.wait()).StatusCode, 0);
  await container.remove();
});

test('a life: start, exec, top, stats, logs, pause, update, rename, stop, remove, and its events', async () => {
  const since = Math.floor(Date.now() / 1000) - 1;
  const container = await docker.createContainer({ Image: 'busybox', name: 'life', Cmd: ['sh', '-c', "trap 'exit 3' TERM; echo ready; while :; do sleep 1000 & wait $!; done"], HostConfig: { Memory: 64 << 20 } });
  await container.start();
  const follow = await container.logs({ follow: true, stdout: true, stderr: true });
  const log = demuxed(follow);

  const exec = await container.exec({ Cmd: ['sh', '-c', 'read line; echo "<$line>"; exit 5'], AttachStdin: true, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: true });
  const said = demuxed(stream);
  stream.end('word\n');
  assert.deepEqual(await said, ['<word>\n', '']);
  assert.equal((await exec.inspect()).ExitCode, 5);

  const terminal = await container.exec({ Cmd: ['sh', '-c', 'test -t 0 && echo a terminal'], Tty: true, AttachStdin: true, AttachStdout: true });
  const screen = await terminal.start({ Tty: true, hijack: true, stdin: true });
  assert.equal(await collect(screen), 'a terminal\r\n');

  assert.ok((await container.top()).Processes.length >= 1);
  const stats = await container.stats({ stream: false });
  assert.ok(stats.memory_stats.usage > 0 && stats.cpu_stats.cpu_usage.total_usage > 0);
  const streamed = await container.stats({ stream: true });
  assert.ok(JSON.parse((await collect(streamed, '\n')).split('\n')[0]).read);
  streamed.destroy();

  await container.pause();
  assert.equal((await container.inspect()).State.Status, 'paused');
  await container.unpause();
  await container.update({ Memory: 96 << 20, MemorySwap: -1 });
  assert.equal((await container.inspect()).HostConfig.Memory, 96 << 20);
  await container.rename({ name: 'renamed' });
  const waited = container.wait();
  await container.stop({ t: 30 });
  assert.equal((await waited).StatusCode, 3);
  assert.deepEqual(await log, ['ready\n', ''], 'a followed log ends with the container');
  await container.remove({ v: true });
  await assert.rejects(container.inspect(), (error) => error.statusCode === 404 && /No such container/.test(error.message));

  const events = await docker.getEvents({ since, until: Math.floor(Date.now() / 1000) + 1, filters: { type: ['container'], container: [container.id] } });
  const actions = (await collect(events)).trim().split('\n').map((line) => JSON.parse(line).Action).filter((action) => !action.startsWith('exec'));
  assert.deepEqual(actions, ['create', 'start', 'top', 'pause', 'unpause', 'update', 'rename', 'kill', 'die', 'stop', 'destroy']);
});

test('files go in and come out', async () => {
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['true'] });
  const archive = await container.getArchive({ path: '/bin/busybox' });
  const size = (await new Promise((resolve) => { let n = 0; archive.on('data', (c) => { n += c.length; }); archive.on('end', () => resolve(n)); }));
  assert.ok(size > 100000);
  await container.remove();
});

test('images, volumes and networks', async () => {
  const image = docker.getImage('busybox');
  await image.tag({ repo: 'mine', tag: '1' });
  assert.ok((await docker.listImages()).some((one) => one.RepoTags.includes('mine:1')));
  await docker.getImage('mine:1').remove();
  await docker.createVolume({ Name: 'data' });
  assert.equal((await docker.getVolume('data').inspect()).Name, 'data');
  await docker.getVolume('data').remove();
  const network = await docker.createNetwork({ Name: 'net' });
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '100'], HostConfig: { NetworkMode: 'net' } });
  await container.start();
  assert.ok((await network.inspect()).Containers[container.id]);
  await network.disconnect({ Container: container.id });
  await container.remove({ force: true });
  await network.remove();
});

test('fifty at once', async () => {
  const statuses = await Promise.all(Array.from({ length: 50 }, async (_, number) => {
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sh', '-c', `exit ${number}`] });
    const waited = container.wait({ condition: 'next-exit' });
    await container.start();
    const status = (await waited).StatusCode;
    await container.remove();
    return status;
  }));
  assert.deepEqual(statuses, Array.from({ length: 50 }, (_, number) => number));
});
