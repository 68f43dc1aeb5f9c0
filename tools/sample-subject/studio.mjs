// Runs in the page. Averages many exposures with moved lamps and a moved lens: that gives soft shadows, light
// from the whole sky, depth of field and smooth edges with an ordinary rasteriser.
import * as THREE from 'three';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';
import { backdrops } from './backdrops.mjs';
import { createRandom } from './random.mjs';
import { buildToy } from './toy.mjs';

/** Renders one photo and returns it as a WebP data URL. `shot` is an entry of shots.mjs. */
window.takePhoto = async (shot, size, exposures, quality) => {
  const random = createRandom(shot.seed);
  const renderer = new THREE.WebGLRenderer({ antialias: false });
  renderer.setSize(size, size, false);
  renderer.toneMapping = THREE.NoToneMapping;
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = THREE.PCFShadowMap;

  const scene = new THREE.Scene();
  const room = new THREE.PMREMGenerator(renderer).fromScene(new RoomEnvironment(), 0.03);
  scene.environment = room.texture;
  scene.environmentIntensity = 0.3;
  scene.add(backdrops[shot.backdrop]());
  const toy = buildToy();
  toy.rotation.y = THREE.MathUtils.degToRad(shot.turn);
  scene.add(toy);
  const key = lamp(scene, shot.keyColor ?? 0xfff1dc);
  const sky = lamp(scene, shot.skyColor ?? 0xe4eeff);

  const target = new THREE.Vector3(0, 1.45, 0);
  const camera = new THREE.PerspectiveCamera(24, 1, 0.1, 100);
  const elevation = THREE.MathUtils.degToRad(shot.elevation);
  const eye = new THREE.Vector3(0, Math.sin(elevation), Math.cos(elevation))
    .multiplyScalar(shot.distance)
    .add(target);

  const frame = new THREE.WebGLRenderTarget(size, size, { type: THREE.FloatType });
  const pixels = new Float32Array(size * size * 4);
  const sum = new Float32Array(size * size * 4);
  for (let i = 0; i < exposures; i++) {
    const [lensX, lensY] = disk(random).map((value) => value * shot.lens);
    camera.position.set(eye.x + lensX, eye.y + lensY, eye.z);
    camera.lookAt(target);
    camera.setViewOffset(size, size, random() - 0.5, random() - 0.5, size, size);

    const [keyX, keyY] = disk(random);
    key.position.set(shot.key[0] + keyX * 1.3, shot.key[1] + keyY * 1.3, shot.key[2] + keyX * 0.6);
    key.intensity = shot.keyIntensity ?? 2.4;
    // Evenly over the hemisphere; the surface's own cosine does the weighting.
    const up = 0.08 + 0.92 * ((i + random()) / exposures);
    const around = 2 * Math.PI * ((i * 0.618034) % 1);
    const out = Math.sqrt(1 - up * up);
    sky.position.set(out * Math.cos(around), up, out * Math.sin(around)).multiplyScalar(9);
    sky.intensity = shot.skyIntensity ?? 2.2;

    renderer.setRenderTarget(frame);
    renderer.render(scene, camera);
    renderer.readRenderTargetPixels(frame, 0, 0, size, size, pixels);
    for (let j = 0; j < sum.length; j++) sum[j] += pixels[j];
  }
  renderer.dispose();
  renderer.forceContextLoss();
  return develop(sum, exposures, size, quality, shot.exposure ?? 1, random);
};
window.isReady = true;

function lamp(scene, color) {
  const light = new THREE.DirectionalLight(color, 1);
  light.castShadow = true;
  light.shadow.mapSize.set(1536, 1536);
  Object.assign(light.shadow.camera, { left: -3.2, right: 3.2, top: 3.2, bottom: -3.2, near: 1, far: 20 });
  light.shadow.bias = -0.0002;
  light.shadow.normalBias = 0.02;
  light.target.position.set(0, 0.8, 0);
  scene.add(light, light.target);
  return light;
}

function disk(random) {
  const radius = Math.sqrt(random());
  const angle = 2 * Math.PI * random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Linear light to a picture: filmic shoulder, sRGB curve, a little vignette and film grain. */
function develop(sum, exposures, size, quality, exposure, random) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  const image = context.createImageData(size, size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = ((size - 1 - y) * size + x) * 4; // WebGL rows run upwards
      const to = (y * size + x) * 4;
      const edge = ((x / size - 0.5) ** 2 + (y / size - 0.5) ** 2) * 2;
      const grain = (random() + random() - 1) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const light = (sum[from + channel] / exposures) * exposure * (1 - 0.22 * edge);
        image.data[to + channel] = 255 * srgb(shoulder(light)) + grain;
      }
      image.data[to + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL('image/webp', quality);
}

/** Straight up to 0.6, then bends so that white is reached slowly. */
function shoulder(light) {
  return light < 0.6 ? light : 0.6 + 0.4 * (1 - Math.exp(-(light - 0.6) / 0.4));
}

function srgb(light) {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
}
